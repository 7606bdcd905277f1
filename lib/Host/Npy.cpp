//===- Npy.cpp - NumPy .npy files -----------------------------------------===//
//
// Layout: "\x93NUMPY", major, minor, header length (u16 in version 1, else
// u32), header (a Python dictionary literal padded with spaces and ended by a
// newline), elements. Source: numpy.lib.format.
//
//===----------------------------------------------------------------------===//

#include "tda/Host/Npy.h"

#include "tda/Host/AtomicFile.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <string_view>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "elements are copied as they lie in the file");

namespace tda::host {

static constexpr std::string_view kMagic("\x93NUMPY", 6);
static constexpr size_t kAlignment = 64;
static constexpr size_t kMaxRank = 32; // NumPy's own.

namespace {

/// What the dictionary says.
struct Header {
  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// Reads the dictionary: exactly the keys descr, fortran_order and shape, in
/// any order. After a failure `problem` says what is wrong.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : rest(text) {}

  bool parse(Header &header) {
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!expect('{'))
      return false;
    while (!accept('}')) {
      std::string key;
      if (!parseString(key, "a key") || !expect(':'))
        return false;
      bool *seen = key == "descr"           ? &hasDescr
                   : key == "fortran_order" ? &hasOrder
                   : key == "shape"         ? &hasShape
                                            : nullptr;
      if (!seen)
        return fail(fmt::format("unknown key '{}'", key));
      if (*seen)
        return fail(fmt::format("key '{}' is given twice", key));
      *seen = true;
      bool parsed = seen == &hasDescr   ? parseDescr(header.descr)
                    : seen == &hasOrder ? parseBool(header.fortranOrder)
                                        : parseShape(header.shape);
      if (!parsed)
        return false;
      if (!accept(',') && !peek('}'))
        return fail("expected ',' or '}' after a value");
    }
    skipSpaces();
    if (!rest.empty())
      return fail("text after the closing '}'");
    if (!hasDescr || !hasOrder || !hasShape)
      return fail(fmt::format("key '{}' is missing", !hasDescr ? "descr"
                                                     : !hasOrder
                                                         ? "fortran_order"
                                                         : "shape"));
    return true;
  }

  std::string problem;

private:
  bool fail(std::string what) {
    problem = std::move(what);
    return false;
  }

  void skipSpaces() {
    size_t count = rest.find_first_not_of(" \t\r\n");
    rest.remove_prefix(std::min(count, rest.size()));
  }

  bool peek(char c) {
    skipSpaces();
    return !rest.empty() && rest.front() == c;
  }

  bool accept(char c) {
    bool found = peek(c);
    if (found)
      rest.remove_prefix(1);
    return found;
  }

  bool expect(char c) {
    return accept(c) || fail(fmt::format("expected '{}'", c));
  }

  bool acceptWord(std::string_view word) {
    skipSpaces();
    bool found = rest.substr(0, word.size()) == word;
    if (found)
      rest.remove_prefix(word.size());
    return found;
  }

  bool parseString(std::string &value, const char *what) {
    char quote = peek('"') ? '"' : '\'';
    size_t end = peek(quote) ? rest.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos)
      return fail(fmt::format("expected {} in quotes", what));
    value = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    return true;
  }

  bool parseDescr(std::string &value) {
    if (peek('['))
      return fail("a structured dtype; expected a plain one such as '<f4'");
    return parseString(value, "the dtype 'descr'");
  }

  bool parseBool(bool &value) {
    value = acceptWord("True");
    return value || acceptWord("False") ||
           fail("'fortran_order' must be True or False");
  }

  bool parseShape(std::vector<int64_t> &shape) {
    if (!accept('('))
      return fail("'shape' must be a tuple");
    while (!accept(')')) {
      skipSpaces();
      int64_t extent = 0;
      auto [stop, code] =
          std::from_chars(rest.data(), rest.data() + rest.size(), extent);
      if (code == std::errc::result_out_of_range)
        return fail("an extent of 'shape' does not fit in 63 bits");
      if (code != std::errc() || extent < 0)
        return fail("'shape' must hold whole numbers >= 0");
      rest.remove_prefix(stop - rest.data());
      shape.push_back(extent);
      // One extent needs its comma: (3) is a number, (3,) a tuple.
      if (!accept(',') && (!peek(')') || shape.size() == 1))
        return fail("expected ',' in 'shape'");
    }
    return true;
  }

  std::string_view rest;
};

} // namespace

/// The element type that `descr` names; else `problem` says why it is none.
static bool dtypeOf(const std::string &descr, DType &dtype,
                    std::string &problem) {
  if (descr == "<f4")
    dtype = DType::F32;
  else if (descr == "<f2")
    dtype = DType::F16;
  else if (descr == "<u2" || descr == "<V2" || descr == "|V2")
    dtype = DType::BF16;
  else if (descr == "<i4")
    dtype = DType::I32;
  else if (descr == "<i8")
    dtype = DType::I64;
  else if (descr == "<f8")
    problem = "it holds f64 ('<f8'), which no kernel takes; save "
              "x.astype('<f4') instead";
  else if (!descr.empty() && descr.front() == '>')
    problem = fmt::format("its elements are big endian ('{}'); save "
                          "x.astype('<{}') instead",
                          descr, descr.substr(1));
  else
    problem = fmt::format("its dtype is '{}'; expected '<f4' (f32), '<f2' "
                          "(f16), '<u2' or '<V2' (bf16), '<i4' or '<i8'",
                          descr);
  return problem.empty();
}

/// The first bytes of a file, for a message.
static std::string printable(std::string_view bytes) {
  std::string text;
  for (unsigned char c : bytes)
    text += c >= 0x20 && c < 0x7f && c != '\\' ? std::string(1, c)
                                               : fmt::format("\\x{:02x}", c);
  return text;
}

/// Reads from the magic to the end of the header. `offset` is then where the
/// elements begin.
static bool readHeader(std::istream &file, uint64_t fileSize, Header &header,
                       uint64_t &offset, std::string &problem) {
  char prefix[12] = {};
  file.read(prefix, std::min<uint64_t>(fileSize, 8));
  std::string_view found(prefix, file.gcount());
  if (found.substr(0, kMagic.size()) != kMagic || found.size() < 8) {
    problem = fmt::format("it is not a .npy file: it begins with '{}', "
                          "expected '\\x93NUMPY' and a version",
                          printable(found));
    return false;
  }
  int major = uint8_t(prefix[6]), minor = uint8_t(prefix[7]);
  if (major < 1 || major > 3 || minor != 0) {
    problem = fmt::format("it is .npy version {}.{}; expected 1.0, 2.0 or 3.0",
                          major, minor);
    return false;
  }

  size_t lengthSize = major == 1 ? 2 : 4;
  uint32_t length = 0;
  file.read(prefix + 8, lengthSize);
  std::memcpy(&length, prefix + 8, lengthSize);
  offset = 8 + lengthSize + uint64_t(length);
  if (!file || offset > fileSize) {
    problem = fmt::format("it is truncated: its header ends at byte {}, the "
                          "file at {}",
                          file ? offset : 8 + lengthSize, fileSize);
    return false;
  }
  std::string text(length, '\0');
  file.read(text.data(), length);
  HeaderParser parser(text);
  if (!file || !parser.parse(header)) {
    problem = fmt::format("its header is malformed: {}",
                          file ? parser.problem : "it cannot be read");
    return false;
  }
  return true;
}

/// Reads into `tensor`; `problem` goes on from "cannot read 'PATH': ".
static bool readTensor(const std::string &path, HostTensor &tensor,
                       std::optional<DType> expected, std::string &problem) {
  std::error_code code;
  auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) {
    problem = code ? code.message() : "no such file";
    return false;
  }
  if (!std::filesystem::is_regular_file(status)) {
    problem = "it is not a regular file";
    return false;
  }
  uint64_t fileSize = std::filesystem::file_size(path, code);
  std::ifstream file(path, std::ios::binary);
  if (code || !file) {
    problem = code ? code.message() : std::strerror(errno);
    return false;
  }

  Header header;
  uint64_t offset = 0;
  if (!readHeader(file, fileSize, header, offset, problem) ||
      !dtypeOf(header.descr, tensor.dtype, problem))
    return false;
  if (expected && tensor.dtype != *expected) {
    problem =
        fmt::format("it holds {} ('{}'); expected {}", dtypeName(tensor.dtype),
                    header.descr, dtypeName(*expected));
    return false;
  }
  if (header.fortranOrder) {
    problem = "its elements are in Fortran order; save "
              "numpy.ascontiguousarray(x) instead";
    return false;
  }
  int64_t count = 0;
  size_t size = dtypeSize(tensor.dtype);
  if (header.shape.size() > kMaxRank ||
      !checkedNumElements(header.shape, size, count)) {
    problem = header.shape.size() > kMaxRank
                  ? fmt::format("its rank is {}; expected at most {}",
                                header.shape.size(), kMaxRank)
                  : fmt::format("its shape {} is too large for any memory",
                                shapeText(header.shape));
    return false;
  }

  uint64_t needed = uint64_t(count) * size, have = fileSize - offset;
  if (needed != have) {
    problem = fmt::format(
        "{}: shape {} of {} needs {} bytes of elements, the file has {}",
        have < needed ? "it is truncated" : "it has bytes after its end",
        shapeText(header.shape), dtypeName(tensor.dtype), needed, have);
    return false;
  }
  tensor.data.resize(needed);
  file.read(reinterpret_cast<char *>(tensor.data.data()), needed);
  if (uint64_t(file.gcount()) != needed) {
    problem = fmt::format("reading stopped after {} of {} bytes",
                          offset + file.gcount(), fileSize);
    return false;
  }
  tensor.shape = std::move(header.shape);
  return true;
}

bool readNpy(const std::string &path, HostTensor &tensor, std::string &error,
             std::optional<DType> expected) {
  HostTensor result;
  std::string problem;
  if (!readTensor(path, result, expected, problem)) {
    error = fmt::format("cannot read '{}': {}", path, problem);
    return false;
  }
  tensor = std::move(result);
  return true;
}

static const char *descrOf(DType dtype) {
  switch (dtype) {
  case DType::F32:
    return "<f4";
  case DType::F16:
    return "<f2";
  case DType::BF16:
    return "<u2";
  case DType::I32:
    return "<i4";
  case DType::I64:
    return "<i8";
  }
  return "";
}

bool writeNpy(const std::string &path, const HostTensor &tensor,
              std::string &error) {
  int64_t count = 0;
  size_t size = dtypeSize(tensor.dtype);
  if (!checkedNumElements(tensor.shape, size, count) ||
      tensor.data.size() != uint64_t(count) * size) {
    error = fmt::format("cannot write '{}': a {} tensor of shape {} does not "
                        "have {} bytes",
                        path, dtypeName(tensor.dtype), shapeText(tensor.shape),
                        tensor.data.size());
    return false;
  }

  std::string header = fmt::format(
      "{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
      descrOf(tensor.dtype), fmt::join(tensor.shape, ", "),
      tensor.shape.size() == 1 ? "," : "");
  // Version 1 where the padded header and its 2-byte length allow it.
  bool isVersion1 = header.size() + kAlignment < 0x10000;
  size_t lengthSize = isVersion1 ? 2 : 4;
  size_t used = kMagic.size() + 2 + lengthSize + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';

  std::string prefix(kMagic);
  prefix += char(isVersion1 ? 1 : 2);
  prefix += '\0';
  for (size_t i = 0; i < lengthSize; ++i)
    prefix += char(header.size() >> (8 * i));
  std::string_view elements(reinterpret_cast<const char *>(tensor.data.data()),
                            tensor.data.size());
  return writeFileAtomically(path, {prefix, header, elements}, error);
}

} // namespace tda::host
