//===- CommandLine.cpp - Options of a tool --------------------------------===//
#include "CommandLine.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>

using namespace tda;

std::string tda::spelled(const std::string &name) {
  return (name.size() == 1 ? "-" : "--") + name;
}

void CommandLine::flag(std::string name, bool &given, std::string help) {
  options.push_back({std::move(name), "", std::move(help), &given, nullptr});
}

void CommandLine::value(std::string name, std::string form,
                        std::optional<std::string> &value, std::string help) {
  options.push_back(
      {std::move(name), std::move(form), std::move(help), nullptr, &value});
}

void CommandLine::positional(std::string form,
                             std::optional<std::string> &value) {
  positionalForm = std::move(form);
  positionalValue = &value;
}

int CommandLine::error(std::string_view text) const {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  std::fflush(stdout);
  fmt::print(stderr, "{}: error: {}\n", tool, text);
  return 1;
}

const CommandLine::Option *CommandLine::find(const std::string &name) const {
  for (const Option &option : options)
    if (option.name == name)
      return &option;
  return nullptr;
}

void CommandLine::printHelp() const {
  fmt::print("{}\noptions:\n", overview);
  auto print = [](const std::string &left, const std::string &help) {
    // Every further line of a help text stands below the first.
    std::string indented;
    for (char c : help)
      indented += c == '\n' ? "\n" + std::string(26, ' ') : std::string(1, c);
    if (left.size() > 23)
      fmt::print("  {}\n{:26}{}\n", left, "", indented);
    else
      fmt::print("  {:<24}{}\n", left, indented);
  };
  for (const Option &option : options)
    print(spelled(option.name) + (option.value ? " " + option.form : ""),
          option.help);
  print("--help", "Show this");
  print("--version", "Show the versions of tda and LLVM");
  fmt::print("\n{}", examples);
}

bool CommandLine::parse(int argc, char **argv, const std::string &version,
                        int &exitCode) {
  exitCode = 1;
  std::vector<const Option *> seen;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      printHelp();
      exitCode = 0;
      return false;
    }
    if (word == "--version") {
      fmt::print("{}\n", version);
      exitCode = 0;
      return false;
    }
    if (word == "-" || word.empty() || word[0] != '-') {
      if (!positionalValue || *positionalValue) {
        error(fmt::format("'{}' is one word too many: only one {} is taken",
                          word, positionalForm));
        return false;
      }
      *positionalValue = word;
      continue;
    }

    size_t equals = word.find('=');
    std::string spelling = word.substr(0, equals);
    std::string name =
        spelling.substr(spelling.find_first_not_of('-') == std::string::npos
                            ? spelling.size()
                            : spelling.find_first_not_of('-'));
    const Option *option = find(name);
    if (!option || spelled(name) != spelling) {
      error(
          fmt::format("unknown option '{}'; see '{} --help'", spelling, tool));
      return false;
    }
    for (const Option *other : seen)
      if (other == option) {
        error(fmt::format("{} is given twice", spelling));
        return false;
      }
    seen.push_back(option);
    if (option->flag) {
      if (equals != std::string::npos) {
        error(fmt::format("{} takes no value", spelling));
        return false;
      }
      *option->flag = true;
    } else if (equals != std::string::npos) {
      *option->value = word.substr(equals + 1);
    } else if (i + 1 < argc) {
      *option->value = argv[++i];
    } else {
      error(fmt::format("{} needs a value: {} {}", spelling, spelling,
                        option->form));
      return false;
    }
  }
  exitCode = 0;
  return true;
}

template <typename Number>
static bool parseWhole(const std::string &text, Number &value) {
  const char *end = text.data() + text.size();
  auto [stop, code] = std::from_chars(text.data(), end, value);
  return code == std::errc() && stop == end && !text.empty();
}

bool tda::parseNumber(const std::string &text, int64_t &value) {
  return parseWhole(text, value);
}

bool tda::parseNumber(const std::string &text, double &value) {
  return parseWhole(text, value) && std::isfinite(value);
}

std::vector<std::string> tda::splitCommas(const std::string &text) {
  std::vector<std::string> pieces(1);
  for (char c : text)
    if (c == ',')
      pieces.emplace_back();
    else
      pieces.back() += c;
  return pieces;
}
