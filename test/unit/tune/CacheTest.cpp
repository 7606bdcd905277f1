//===- CacheTest.cpp - Entries on disk, whatever happens to them ----------===//
#include "autotune/Cache.h"
#include "TuneTestUtil.h"

#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace tda;
using namespace tda::tune;

namespace {
class CacheTest : public testing::Test {
protected:
  TemporaryFolder folder;
  std::vector<std::string> warnings;
  Cache cache{folder.path.string(),
              [this](const std::string &text) { warnings.push_back(text); }};
  Workload workload = workloadOf("views=2 d=64 causal");
  Schedule schedule = defaultOf(workload.problem);
  std::string error;

  Entry stored(double us = 10) {
    Entry entry = entryOf(workload, schedule, us);
    EXPECT_TRUE(cache.store(entry, error)) << error;
    return entry;
  }
  void overwrite(const Entry &entry, const std::string &text) {
    std::ofstream(cache.pathOf(entry.key)) << text;
  }
  /// The entry is a miss, with one warning that has `part`.
  void expectMiss(const Entry &entry, const std::string &part) {
    warnings.clear();
    EXPECT_FALSE(cache.find(entry.key));
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_NE(warnings[0].find(part), std::string::npos) << warnings[0];
    EXPECT_NE(warnings[0].find(cache.pathOf(entry.key)), std::string::npos);
    EXPECT_TRUE(
        cache.ofProblem(entry.key.problem, "sm_90", entry.key.density).empty());
    // It can be found anew and stored over.
    Entry again = entryOf(workload, schedule, 11);
    EXPECT_TRUE(cache.store(again, error)) << error;
    EXPECT_TRUE(cache.find(entry.key));
  }
};
} // namespace

TEST_F(CacheTest, FindsWhatItStored) {
  Entry entry = stored();
  ASSERT_TRUE(cache.find(entry.key));
  EXPECT_EQ(printEntry(*cache.find(entry.key)), printEntry(entry));
  EXPECT_EQ(std::filesystem::path(cache.pathOf(entry.key)).extension(),
            ".json");
  Key other = entry.key;
  other.device.driver = 1;
  EXPECT_FALSE(cache.find(other));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(CacheTest, CorruptFilesAreMisses) {
  Entry entry = stored();
  std::string text = printEntry(entry);
  overwrite(entry, "");
  expectMiss(entry, "not JSON, or cut short");
  overwrite(entry, text.substr(0, text.size() / 2));
  expectMiss(entry, "not JSON, or cut short");
  overwrite(entry, std::string("\0\xff\xfe", 3));
  expectMiss(entry, "not JSON, or cut short");
  overwrite(entry, "[1, 2]");
  expectMiss(entry, "'schema' is missing");
}

TEST_F(CacheTest, ANewerSchemaIsAMiss) {
  Entry entry = stored();
  std::string text = printEntry(entry);
  text.replace(text.find("\"schema_version\": 1"), 19, "\"schema_version\": 9");
  overwrite(entry, text);
  expectMiss(entry, "schema version 9; this tda reads version 1");
}

TEST_F(CacheTest, AForeignEntryIsAMiss) {
  Entry entry = stored();
  Entry other = entry;
  other.key.device.name = "another GPU";
  overwrite(entry, printEntry(other));
  expectMiss(entry, "not of the key that its name says");
}

TEST_F(CacheTest, StoringMerges) {
  stored(10);
  Entry second = entryOf(workload, schedule, 12);
  second.samples[0].schedule.group = 4;
  second.winner = second.samples[0].schedule;
  ASSERT_TRUE(cache.store(second, error)) << error;
  EXPECT_EQ(cache.find(second.key)->samples.size(), 2u);
}

TEST_F(CacheTest, AFolderThatCannotBeWritten) {
  // A file where a folder should be fails for every user, root included.
  std::string path = (folder.path / "file").string();
  std::ofstream(path) << "x";
  Entry entry = entryOf(workload, schedule, 10);
  EXPECT_FALSE(Cache(path).store(entry, error));
  EXPECT_NE(error.find(path), std::string::npos) << error;
  EXPECT_FALSE(Cache("").store(entry, error));
  EXPECT_NE(error.find("TDA_CACHE_DIR"), std::string::npos) << error;
}

TEST_F(CacheTest, AReadOnlyFolder) {
  if (geteuid() == 0)
    GTEST_SKIP() << "root writes everywhere";
  stored();
  std::filesystem::path where =
      std::filesystem::path(cache.pathOf(entryOf(workload, schedule, 1).key))
          .parent_path();
  chmod(where.c_str(), 0555);
  Entry entry = entryOf(workload, schedule, 9);
  EXPECT_FALSE(cache.store(entry, error));
  EXPECT_NE(error.find("cannot write"), std::string::npos) << error;
  EXPECT_TRUE(cache.find(entry.key)); // and reading goes on
  chmod(where.c_str(), 0755);
}

TEST_F(CacheTest, AFullDisk) {
  Entry before = stored();
  pid_t child = fork();
  if (child == 0) {
    // A file may have so many bytes: writing more fails as on a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{100, 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    Entry entry = entryOf(workload, schedule, 9);
    std::string why;
    _exit(cache.store(entry, why) || why.find("cannot write") != 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(cache.find(before.key)); // the old entry is whole
  for (auto &file : std::filesystem::recursive_directory_iterator(folder.path))
    EXPECT_NE(file.path().extension(), ".tmp") << file.path();
}

TEST_F(CacheTest, ManyProcessesLoseNothing) {
  constexpr int processes = 8, samples = 12;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p)
    if (pid_t child = fork(); child == 0) {
      Entry entry = entryOf(workload, schedule, 10);
      entry.samples.clear();
      std::string why;
      for (int i = 0; i < samples; ++i) {
        Sample sample = timed(10 + i);
        sample.schedule = schedule;
        sample.schedule.group = 1 + p * samples + i;
        entry.samples.push_back(sample);
        entry.winner = entry.samples[0].schedule;
        if (!cache.store(entry, why))
          _exit(1);
      }
      _exit(0);
    } else {
      children.push_back(child);
    }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::optional<Entry> entry = cache.find(entryOf(workload, schedule, 1).key);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->samples.size(), size_t(processes * samples));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(CacheTest, KillAtAnyMomentLeavesAWholeEntry) {
  for (int round = 0; round < 15; ++round) {
    pid_t child = fork();
    if (child == 0) {
      Entry entry = entryOf(workload, schedule, 10);
      std::string why;
      for (int i = 0;; ++i) {
        Sample sample = timed(10 + i);
        sample.schedule = schedule;
        sample.schedule.group = 1 + i % 900;
        entry.samples = {sample};
        entry.winner = sample.schedule;
        cache.store(entry, why);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3 + 2 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (const Cache::File &file : cache.list())
      EXPECT_EQ(file.error, "") << file.path;
  }
  Entry entry = stored(); // the lock of the dead does not block
  EXPECT_TRUE(cache.find(entry.key));
}

TEST_F(CacheTest, TheRootFollowsTheEnvironment) {
  const char *home = std::getenv("HOME");
  std::string before = home ? home : "";
  unsetenv("TDA_CACHE_DIR");
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(defaultCacheRoot(), "/home/me/.cache/tda");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(defaultCacheRoot(), "/xdg/tda");
  setenv("TDA_CACHE_DIR", "/own", 1);
  EXPECT_EQ(defaultCacheRoot(), "/own");
  unsetenv("TDA_CACHE_DIR");
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", before.c_str(), 1);
}

TEST_F(CacheTest, ListsTheBadOnesToo) {
  Entry entry = stored();
  std::ofstream(std::filesystem::path(cache.pathOf(entry.key)).parent_path() /
                "odd.json")
      << "{";
  std::vector<Cache::File> files = cache.list();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].error, "");
  EXPECT_EQ(files[1].error, "not JSON, or cut short");
}
