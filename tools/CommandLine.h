//===- CommandLine.h - Options of a tool -----------------------*- C++ -*-===//
//
// Options are declared with the variable that takes them, then parsed once:
// --name, --name VALUE or --name=VALUE. (LLVM's own command line would bring
// LLVM's options along, of which --stats is one.)
//
//===----------------------------------------------------------------------===//
#ifndef TDA_COMMANDLINE_H
#define TDA_COMMANDLINE_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tda {

class CommandLine {
public:
  /// `overview` is what --help shows before the options, `examples` after.
  CommandLine(std::string tool, std::string overview, std::string examples)
      : tool(std::move(tool)), overview(std::move(overview)),
        examples(std::move(examples)) {}

  void flag(std::string name, bool &given, std::string help);
  /// `form` stands for the value in --help: "DIR".
  void value(std::string name, std::string form,
             std::optional<std::string> &value, std::string help);
  /// The one word without a name, "-" included.
  void positional(std::string form, std::optional<std::string> &value);

  /// False where the tool ends at once: after --help and --version, or after
  /// an error, which has been printed; `exitCode` is what it ends with.
  bool parse(int argc, char **argv, const std::string &version, int &exitCode);

  /// Prints "tool: error: text" and returns 1.
  int error(std::string_view text) const;

private:
  struct Option {
    std::string name, form, help;
    bool *flag = nullptr;
    std::optional<std::string> *value = nullptr;
  };
  void printHelp() const;
  const Option *find(const std::string &name) const;

  std::string tool, overview, examples, positionalForm;
  std::vector<Option> options;
  std::optional<std::string> *positionalValue = nullptr;
};

/// "-o", "--arch".
std::string spelled(const std::string &name);

/// The whole of `text` as a number; false where it is none.
bool parseNumber(const std::string &text, int64_t &value);
bool parseNumber(const std::string &text, double &value);

/// "a,b,c" without the commas; empty pieces are kept.
std::vector<std::string> splitCommas(const std::string &text);

} // namespace tda

#endif // TDA_COMMANDLINE_H
