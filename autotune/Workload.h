//===- Workload.h - What is tuned for: problem, lengths, data --*- C++ -*-===//
//
// A schedule is best for a problem, for lengths and for data, since what is
// skipped depends on the data. Lengths are rounded to buckets by one rule, in
// `bucketOf`, for tuning and for lookup alike.
//
//===----------------------------------------------------------------------===//
#ifndef TDA_AUTOTUNE_WORKLOAD_H
#define TDA_AUTOTUNE_WORKLOAD_H

#include "tda/Host/Arguments.h"
#include "tda/Problem.h"

#include <string>
#include <vector>

namespace tda::tune {

/// The data a timing was taken on.
struct Density {
  enum class Kind {
    Null,  ///< Random unit rows, beta 1: nearly no survivor.
    Real,  ///< Tensors of a trained model (test/data/real), or a folder's.
    Dense, ///< Random unit rows, beta 0: half of the entries survive.
    Files, ///< The arguments of the function, from .npy files.
  };
  Kind kind = Kind::Real;
  std::vector<std::string> files; ///< Files only.

  /// "null", "real", "dense"; of files "files-" and 12 digits of a hash of
  /// their names and sizes.
  std::string name() const;
  /// Reads "null", "real", "dense" or "A.npy,B.npy,...".
  static bool parse(const std::string &text, Density &density,
                    std::string &error);
};

/// One thing to tune for.
struct Workload {
  Problem problem;
  host::Lengths lengths;
  Density density;

  /// "views=2 d=64 ..., B=1,Hq=16,Hkv=16,Nq=8192,Nk=8192, real".
  std::string str() const;
};

/// The bucket of a length: the nearest power of two by ratio, so that 3000 is
/// in the bucket of 4096 and 2800 in that of 2048; 0 and 1 are themselves.
int64_t bucketOf(int64_t length);

/// Lengths that stand for all of their bucket: one batch of bucketOf(B * Hq)
/// heads, the ratio of query to key heads and both lengths rounded likewise.
host::Lengths bucketed(const host::Lengths &lengths);

/// "B=1,Hq=16,Hkv=16,Nq=8192,Nk=8192".
std::string shapeText(const host::Lengths &lengths);
/// Reads shapeText back.
bool parseShape(const std::string &text, host::Lengths &lengths,
                std::string &error);

/// Reads "B=1,H=16,N=2048:65536": a number, or FROM:TO, which becomes the
/// buckets from that of FROM to that of TO; Hq, Hkv, Nq and Nk may be given one
/// by one. Every combination, without doubles, as bucketed lengths.
bool parseShapes(const std::string &text, std::vector<host::Lengths> &shapes,
                 std::string &error);

/// What is assumed of a call where nobody says: B 1, H 16, N 8192, real data.
host::Lengths usualLengths();

} // namespace tda::tune

#endif // TDA_AUTOTUNE_WORKLOAD_H
