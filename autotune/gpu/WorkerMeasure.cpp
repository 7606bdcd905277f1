//===- WorkerMeasure.cpp - The parent of the child that measures ----------===//
#include "autotune/SearchSpace.h"
#include "autotune/gpu/Worker.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tda;
using namespace tda::tune;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

static std::string endText(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("ended by signal {} ({})", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
  return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

void WorkerMeasure::stop() {
  if (!pid)
    return;
  ::close(toChild);
  ::close(fromChild);
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  exitText = endText(status);
  pid = 0;
  pending.clear();
}

bool WorkerMeasure::start(std::string &error) {
  stop();
  if (++started > options.starts) {
    error = fmt::format("{} measuring processes ended; the last {}", started,
                        exitText);
    return false;
  }
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC)) {
    error = fmt::format("cannot make a pipe: {}", std::strerror(errno));
    return false;
  }
  std::vector<char *> words;
  for (const std::string &word : options.command)
    words.push_back(const_cast<char *>(word.c_str()));
  words.push_back(nullptr);
  pid_t parent = ::getpid();
  pid = ::fork();
  if (pid == 0) {
    // It must not outlive a parent that is killed, nor end by its Ctrl-C.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
      ::_exit(127);
    ::setpgid(0, 0);
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  toChild = in[1];
  fromChild = out[0];
  if (pid < 0) {
    pid = 0;
    error = fmt::format("cannot start '{}': {}", options.command[0],
                        std::strerror(errno));
    return false;
  }
  std::string answer;
  if (ask(Json{{"do", "device"}}.dump(), answer, options.startSeconds) !=
      Reply::Good) {
    error = fmt::format("the measuring process '{}' does not answer; it {}",
                        options.command[0], exitText);
    return false;
  }
  Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || json.contains("error")) {
    error = json.is_object() ? json.value("error", "") : "it says " + answer;
    stop();
    return false;
  }
  facts = {json.value("name", ""), json.value("sms", 0),
           json.value("driver", 0)};
  return true;
}

bool WorkerMeasure::open(std::string &error) { return start(error); }

WorkerMeasure::Reply WorkerMeasure::ask(const std::string &request,
                                        std::string &answer, double seconds) {
  // A child that is gone must not end this process.
  std::signal(SIGPIPE, SIG_IGN);
  std::string line = request + "\n";
  if (!pid ||
      ::write(toChild, line.data(), line.size()) != ssize_t(line.size())) {
    stop();
    return Reply::Died;
  }
  auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    if (size_t at = pending.find('\n'); at != std::string::npos) {
      answer = pending.substr(0, at);
      pending.erase(0, at + 1);
      return Reply::Good;
    }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - Clock::now());
    pollfd ready{fromChild, POLLIN, 0};
    int count = left.count() > 0 ? ::poll(&ready, 1, int(left.count())) : 0;
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0) {
      stop();
      return Reply::TimedOut;
    }
    char bytes[4096];
    ssize_t size = ::read(fromChild, bytes, sizeof(bytes));
    if (size > 0) {
      pending.append(bytes, size_t(size));
      continue;
    }
    if (size < 0 && errno == EINTR)
      continue;
    // Its own end says more than being killed for it.
    int status = 0;
    for (int i = 0; i < 100; ++i) {
      if (::waitpid(pid, &status, WNOHANG) == pid) {
        exitText = endText(status);
        ::close(toChild);
        ::close(fromChild);
        pid = 0;
        pending.clear();
        return Reply::Died;
      }
      ::usleep(10000);
    }
    stop();
    return Reply::Died;
  }
}

bool WorkerMeasure::beginAgain(std::string &error, Achieved *achieved) {
  if (!pid && !start(error))
    return false;
  Json request = {{"do", "begin"},
                  {"problem", workload.problem.str()},
                  {"shape", shapeText(workload.lengths)},
                  {"density", workload.density.name()},
                  {"files", workload.density.files}};
  std::string answer;
  switch (ask(request.dump(), answer, options.startSeconds)) {
  case Reply::TimedOut:
    error = fmt::format("making the inputs of '{}' took more than {} s",
                        workload.str(), options.startSeconds);
    return false;
  case Reply::Died:
    error = fmt::format("the measuring process {} while it made the inputs of "
                        "'{}'",
                        exitText, workload.str());
    return false;
  case Reply::Good:
    break;
  }
  Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || json.contains("error")) {
    error = json.is_object() ? json.value("error", "") : "it says " + answer;
    stop();
    return false;
  }
  if (achieved)
    *achieved = {json.value("source", ""), json.value("survivors", 0.0),
                 json.value("live", 0.0)};
  begun = true;
  return true;
}

bool WorkerMeasure::begin(const Workload &newWorkload, Achieved &achieved,
                          std::string &error) {
  workload = newWorkload;
  bestUs = 0;
  return beginAgain(error, &achieved);
}

bool WorkerMeasure::measure(const Schedule &schedule, Sample &sample,
                            std::string &error) {
  sample = Sample();
  sample.schedule = schedule;
  sample.status = Sample::Status::Failed;
  std::string path = options.manifest(workload.problem, schedule);
  std::string skipOff =
      options.manifest(workload.problem, skipOffForm(schedule));
  if (path.empty() || skipOff.empty()) {
    sample.reason = path.empty() ? "there is no kernel of it"
                                 : "there is no kernel of its form that skips "
                                   "nothing to compare with";
    return true;
  }
  if ((!pid || !begun) && !beginAgain(error, nullptr))
    return false;
  Json request = {{"do", "measure"},
                  {"manifest", path},
                  {"skip_off", skipOff},
                  {"best", bestUs}};
  std::string answer;
  Reply reply = ask(request.dump(), answer, options.measureSeconds);
  begun = begun && reply == Reply::Good;
  if (reply != Reply::Good) {
    sample.reason =
        reply == Reply::TimedOut
            ? fmt::format("gave no answer in {} s", options.measureSeconds)
            : fmt::format("the measuring process {}", exitText);
    return true;
  }
  Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || json.contains("error")) {
    error = json.is_object() ? json.value("error", "") : "it says " + answer;
    return false;
  }
  if (json.value("measured", false))
    sample.status = Sample::Status::Measured;
  sample.median = json.value("median", 0.0);
  sample.low = json.value("low", 0.0);
  sample.high = json.value("high", 0.0);
  sample.repetitions = json.value("runs", 0);
  sample.error = json.value("relative", 0.0);
  sample.reason = json.value("reason", "");
  if (sample.measured() && (bestUs == 0 || sample.median < bestUs))
    bestUs = sample.median;
  if (json.value("lost", false)) {
    stop();
    begun = false;
  }
  return true;
}
