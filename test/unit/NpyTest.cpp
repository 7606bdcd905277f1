//===- NpyTest.cpp - NumPy .npy files -------------------------------------===//

#include "tda/Host/Npy.h"
#include "tda/Host/AtomicFile.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace tda;
using namespace tda::host;
namespace fs = std::filesystem;

namespace {

/// A fresh folder for each test.
class Npy : public testing::Test {
protected:
  void SetUp() override {
    const auto *info = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::temp_directory_path() /
             ("tda-npy-" + std::to_string(getpid()) + "-" + info->name());
    fs::create_directories(folder);
    path = (folder / "x.npy").string();
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::string bytes() {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Writes a file of this header and these elements, as `version` has it.
  void writeFile(const std::string &header, const std::string &elements,
                 int version = 1) {
    std::string prefix("\x93NUMPY", 6);
    prefix += char(version);
    prefix += '\0';
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
      prefix += char(header.size() >> (8 * i));
    write(prefix + header + elements);
  }

  HostTensor read() {
    HostTensor tensor;
    std::string error;
    EXPECT_TRUE(readNpy(path, tensor, error)) << error;
    return tensor;
  }

  /// Expects a failure that names the file and says `part`.
  void expectError(const std::string &part,
                   std::optional<DType> expected = std::nullopt) {
    HostTensor tensor = HostTensor::zeros(DType::I32, {7});
    std::string error;
    EXPECT_FALSE(readNpy(path, tensor, error, expected));
    EXPECT_NE(error.find(path), std::string::npos) << error;
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_EQ(tensor.shape, std::vector<int64_t>{7}) << "changed by a failure";
  }

  size_t filesInFolder() {
    return std::distance(fs::directory_iterator(folder), {});
  }

  fs::path folder;
  std::string path;
};

std::string header(const std::string &descr, const std::string &shape,
                   const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order +
         ", 'shape': " + shape + ", }   \n";
}

} // namespace

TEST_F(Npy, WritesAndReadsEveryTypeAndRank) {
  for (DType type :
       {DType::F32, DType::BF16, DType::F16, DType::I32, DType::I64}) {
    for (std::vector<int64_t> shape : {std::vector<int64_t>{},
                                       {3},
                                       {2, 0, 4},
                                       {1, 2, 3, 4},
                                       {1, 1, 1, 1, 1, 1, 2}}) {
      HostTensor tensor = HostTensor::zeros(type, shape);
      for (int64_t i = 0; i < tensor.numElements(); ++i)
        tensor.set(i, i - 2);
      std::string error;
      ASSERT_TRUE(writeNpy(path, tensor, error)) << error;
      HostTensor readBack = read();
      EXPECT_EQ(readBack.dtype, type);
      EXPECT_EQ(readBack.shape, shape);
      EXPECT_EQ(readBack.data, tensor.data);
    }
  }
  EXPECT_EQ(filesInFolder(), 1u);
}

TEST_F(Npy, WritesWhatNumPyWrites) {
  std::string error;
  HostTensor tensor = HostTensor::fromValues(DType::BF16, {2}, {1, -1});
  ASSERT_TRUE(writeNpy(path, tensor, error)) << error;
  std::string expected =
      std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
      "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }";
  expected.resize(127, ' ');
  EXPECT_EQ(bytes(), expected + "\n" + "\x80\x3f\x80\xbf");
}

TEST_F(Npy, ReadsEveryVersionAndSpelling) {
  for (int version : {1, 2, 3}) {
    writeFile(header("<i4", "(1, 1)"), std::string("\x05\0\0\0", 4), version);
    EXPECT_EQ(read().at(0), 5.0);
  }
  writeFile("{\"shape\":(),\"fortran_order\":False,\"descr\":\"<f2\"}",
            std::string("\x00\x3c", 2));
  EXPECT_EQ(read().at(0), 1.0);
  for (const char *descr : {"<u2", "<V2", "|V2"}) {
    writeFile(header(descr, "(1,)"), "\x80\x3f");
    EXPECT_EQ(read().dtype, DType::BF16);
    EXPECT_EQ(read().at(0), 1.0);
  }
  writeFile(header("<f4", "(0, 5)"), "");
  EXPECT_EQ(read().numElements(), 0);
}

TEST_F(Npy, WrongType) {
  writeFile(header("<f8", "(1,)"), std::string(8, '\0'));
  expectError("f64 ('<f8'), which no kernel takes; save x.astype('<f4')");
  writeFile(header(">f4", "(1,)"), std::string(4, '\0'));
  expectError("big endian ('>f4'); save x.astype('<f4')");
  writeFile(header("<u4", "(1,)"), std::string(4, '\0'));
  expectError("its dtype is '<u4'; expected '<f4' (f32)");
  writeFile(header("|O", "(1,)"), std::string(4, '\0'));
  expectError("its dtype is '|O'");
  writeFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
            std::string(4, '\0'));
  expectError("structured dtype");
  writeFile(header("<u2", "(2,)"), std::string(4, '\0'));
  expectError("it holds bf16 ('<u2'); expected f16", DType::F16);
}

TEST_F(Npy, WrongOrder) {
  writeFile(header("<f4", "(1, 2)", "True"), std::string(8, '\0'));
  expectError("Fortran order; save numpy.ascontiguousarray(x)");
}

TEST_F(Npy, WrongLength) {
  writeFile(header("<f4", "(3,)"), std::string(11, '\0'));
  expectError("truncated: shape [3] of f32 needs 12 bytes of elements, the "
              "file has 11");
  writeFile(header("<f4", "(3,)"), std::string(13, '\0'));
  expectError("bytes after its end: shape [3] of f32 needs 12 bytes");
  writeFile(header("<f4", "(0,)"), "x");
  expectError("bytes after its end");
}

TEST_F(Npy, EveryTruncationFails) {
  writeFile(header("<i4", "(2, 2)"), std::string(16, '\1'));
  std::string whole = bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    expectError(size < 8 ? "not a .npy file" : "truncated");
  }
}

TEST_F(Npy, WrongMagicOrVersion) {
  write("version https://git-lfs");
  expectError("not a .npy file: it begins with 'version ', expected");
  write(std::string("\x93NUMPY\x04\x00\x10\x00", 10));
  expectError("version 4.0; expected 1.0, 2.0 or 3.0");
  write(std::string("PK\x03\x04", 4));
  expectError("it begins with 'PK\\x03\\x04'");
  write(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + "{}");
  expectError("truncated: its header ends at byte 4294967307, the file at 14");
}

TEST_F(Npy, MalformedHeaders) {
  auto expectMalformed = [&](const std::string &text, const std::string &part) {
    writeFile(text, std::string(4, '\0'));
    expectError("its header is malformed: " + part);
  };
  expectMalformed("", "expected '{'");
  expectMalformed("{", "expected a key");
  expectMalformed("{}", "key 'descr' is missing");
  expectMalformed("{'descr': '<f4', 'shape': (1,)}",
                  "key 'fortran_order' is missing");
  expectMalformed("{'descr: '<f4'}", "expected ':'");
  expectMalformed("{'descr': <f4}", "expected the dtype 'descr' in quotes");
  expectMalformed("{'descr': '<f4", "expected the dtype 'descr' in quotes");
  expectMalformed("{'descr': '<f4' 'shape': ()}", "expected ',' or '}'");
  expectMalformed("{'descr': '<f4', 'descr': '<f4'}", "key 'descr' is given");
  expectMalformed("{'colour': 'red'}", "unknown key 'colour'");
  expectMalformed(header("<f4", "(1,)", "0"), "'fortran_order' must be");
  expectMalformed(header("<f4", "(1,)") + "x", "text after the closing");
  expectMalformed(header("<f4", "1"), "'shape' must be a tuple");
  expectMalformed(header("<f4", "(1)"), "expected ',' in 'shape'");
  expectMalformed(header("<f4", "(1 2)"), "expected ',' in 'shape'");
  expectMalformed(header("<f4", "(-1,)"), "'shape' must hold whole numbers");
  expectMalformed(header("<f4", "(,)"), "'shape' must hold whole numbers");
  expectMalformed(header("<f4", "(1.5,)"), "expected ',' in 'shape'");
  expectMalformed(header("<f4", "(1, 2"), "'shape' must hold");
  expectMalformed(header("<f4", "(99999999999999999999,)"), "an extent of");
}

TEST_F(Npy, AbsurdShapes) {
  writeFile(header("<f4", "(4294967296, 4294967296)"), "");
  expectError("its shape [4294967296, 4294967296] is too large");
  writeFile(header("<f4", "(0, 9223372036854775807)"), "");
  expectError("too large");
  writeFile(header("<f4", "(9223372036854775807,)"), "");
  expectError("too large");
  writeFile(header("<i4", "(1000000000000,)"), std::string(4, '\0'));
  expectError("truncated: shape [1000000000000] of i32 needs 4000000000000");
  std::string ones = "(";
  for (int i = 0; i < 33; ++i)
    ones += "1,";
  writeFile(header("<f4", ones + ")"), std::string(4, '\0'));
  expectError("its rank is 33; expected at most 32");
}

TEST_F(Npy, UnreadablePaths) {
  expectError("o such file");
  path = folder.string();
  expectError("not a regular file");
  path = "/dev/zero";
  expectError("not a regular file");
}

TEST_F(Npy, UnwritablePaths) {
  HostTensor tensor = HostTensor::zeros(DType::F32, {2});
  auto expectWriteError = [&](const std::string &target,
                              const std::string &part) {
    std::string error;
    EXPECT_FALSE(writeNpy(target, tensor, error));
    EXPECT_NE(error.find("cannot write '" + target + "'"), std::string::npos)
        << error;
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  expectWriteError((folder / "none" / "x.npy").string(), "No such file");
  expectWriteError(folder.string(), "it is a folder");
  expectWriteError("/dev/null", "not a regular file");
  write("a file");
  expectWriteError(path + "/x.npy", "Not a directory");
  tensor.data.pop_back();
  expectWriteError(path, "does not have 7 bytes");
  EXPECT_EQ(bytes(), "a file");
  EXPECT_EQ(filesInFolder(), 1u);
}

/// A limit on the size of files stands for a full disk.
TEST_F(Npy, FailureHalfWayLeavesTheOldFileAlone) {
  write("the old file");
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  auto *handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string error;
  bool written = writeNpy(path, HostTensor::zeros(DType::F32, {100000}), error);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(written);
  EXPECT_NE(error.find("File too large"), std::string::npos) << error;
  EXPECT_EQ(bytes(), "the old file");
  EXPECT_EQ(filesInFolder(), 1u);
}
