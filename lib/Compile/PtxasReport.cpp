//===- PtxasReport.cpp - What ptxas -v says of the kernels ----------------===//
//
// Of each kernel ptxas 13.0 says, in this order:
//
//   ptxas info    : Compiling entry function 'attention' for 'sm_90'
//   ptxas info    : Function properties for attention
//       600 bytes stack frame, 1184 bytes spill stores, 1212 bytes spill loads
//   ptxas info    : Used 128 registers, used 1 barriers, 600 bytes cumulative
//                   stack size
//
// of a function that is called but no kernel only the two lines in the middle,
// and before all of them, where it applies, a line with a code:
//
//   ptxas info    : (C7520) Potential Performance Loss: wgmma.mma_async
//                   instructions are serialized due to ... in the function 'f'
//
//===----------------------------------------------------------------------===//
#include "tda/PtxasReport.h"

#include <cstdio>
#include <sstream>

using namespace tda;

static bool startsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

static void readResources(const std::string &line,
                          std::vector<FunctionResources> &functions) {
  static const std::string kStart = "Function properties for ";
  if (startsWith(line, kStart)) {
    functions.emplace_back();
    functions.back().name = line.substr(kStart.size());
    return;
  }
  if (functions.empty())
    return;
  FunctionResources &last = functions.back();
  std::sscanf(line.c_str(),
              "%d bytes stack frame, %d bytes spill stores, "
              "%d bytes spill loads",
              &last.stackBytes, &last.spillStores, &last.spillLoads);
  std::sscanf(line.c_str(), "Used %d registers", &last.registers);
}

PtxasReport tda::parsePtxasReport(const std::string &text) {
  PtxasReport report;
  report.text = text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    bool isWarning = startsWith(line, "ptxas warning");
    // "ptxas info    : ..." or a continuation, which is indented.
    size_t colon = startsWith(line, "ptxas ") ? line.find(": ") : 0;
    size_t begin = colon == std::string::npos
                       ? std::string::npos
                       : line.find_first_not_of(": ", colon);
    if (begin == std::string::npos)
      continue;
    line.erase(0, begin);
    if (isWarning || startsWith(line, "(C75"))
      report.warnings.push_back(line);
    else
      readResources(line, report.functions);
  }
  return report;
}

std::vector<std::string> PtxasReport::complaints() const {
  std::vector<std::string> lines;
  for (const FunctionResources &function : functions) {
    if (!function.spills())
      continue;
    std::string line =
        "function '" + function.name +
        "' spills registers: " + std::to_string(function.spillStores) +
        " bytes of stores and " + std::to_string(function.spillLoads) +
        " of loads";
    if (function.registers)
      line += ", with " + std::to_string(function.registers) +
              " registers a thread";
    lines.push_back(line + "; smaller tiles need fewer");
  }
  for (const std::string &warning : warnings)
    lines.push_back("ptxas says: " + warning);
  return lines;
}
