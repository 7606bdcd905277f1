//===- Sha256.cpp - Hashes of files ---------------------------------------===//
#include "tda/Manifest.h"

#include <sys/types.h>

#include <sha2.h>

namespace tda {

std::string sha256Hex(std::string_view bytes) {
  SHA2_CTX context;
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const uint8_t *>(bytes.data()),
               bytes.size());
  SHA256Final(digest, &context);

  constexpr const char *hexDigits = "0123456789abcdef";
  std::string hex;
  for (uint8_t byte : digest) {
    hex += hexDigits[byte >> 4];
    hex += hexDigits[byte & 15];
  }
  return hex;
}

std::string hashText(std::string_view bytes) {
  return "sha256:" + sha256Hex(bytes);
}

} // namespace tda
