#include "client/cli/arguments.h"

#include <type_traits>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor::client {
namespace {

// CLI::Range tells a word from a number outside the range by nothing.
template <typename Number>
CLI::Validator Between(Number least, Number most) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        Number number{};
        if (!CLI::detail::lexical_cast(text, number)) {
          return absl::StrCat("\"", text, "\" is no ", std::is_integral_v<Number> ? "whole number" : "number");
        }
        if (number >= least && number <= most) return "";
        return absl::StrCat(text, " is not between ", least, " and ", most);
      },
      "");
}

}  // namespace

Arguments Arguments::Subcommand(const std::string& name, const std::string& description) const {
  CLI::App* subcommand = app_->add_subcommand(name, description);
  // Else CLI11 shows the parent's.
  subcommand->footer("");
  return Arguments(subcommand);
}

void Arguments::RequireSubcommand() const { app_->require_subcommand(1); }

void Arguments::AllowExtras() const { app_->allow_extras(); }

void Arguments::Footer(const std::string& text) const { app_->footer(text); }

void Arguments::Option(const std::string& names, std::string& value, const std::string& help,
                       const std::string& type) const {
  app_->add_option(names, value, help)->type_name(type);
}

void Arguments::Option(const std::string& names, std::vector<std::string>& values, const std::string& help,
                       const std::string& type) const {
  // One value each time, so that a positional argument may follow.
  app_->add_option(names, values, help)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::Option(const std::string& names, int& value, const std::string& help, int least, int most) const {
  app_->add_option(names, value, help)->check(Between(least, most))->type_name("N");
}

void Arguments::Option(const std::string& names, uint64_t& value, const std::string& help) const {
  app_->add_option(names, value, help)->type_name("N");
}

void Arguments::Option(const std::string& names, double& value, const std::string& help, double least,
                       double most) const {
  app_->add_option(names, value, help)->check(Between(least, most))->type_name("X");
}

void Arguments::Choice(const std::string& names, std::string& value, const std::string& help,
                       const std::vector<std::string>& choices) const {
  app_->add_option(names, value, help)
      ->transform(CLI::IsMember(choices, CLI::ignore_case).description(""))
      ->type_name(absl::StrJoin(choices, "|"));
}

void Arguments::OptionalValue(const std::string& names, bool& given, std::string& value, const std::string& help,
                              const std::string& type) const {
  app_->add_option_function<std::vector<std::string>>(
          names,
          [&given, &value](const std::vector<std::string>& values) {
            given = true;
            if (!values.empty()) value = values.front();
          },
          help)
      ->expected(0, 1)
      ->type_name(type);
}

void Arguments::Flag(const std::string& names, bool& value, const std::string& help) const {
  app_->add_flag(names, value, help);
}

void Arguments::Positional(const std::string& name, std::string& value, const std::string& help,
                           const std::string& type, bool required) const {
  app_->add_option(name, value, help)->type_name(type)->required(required);
}

void Arguments::Positionals(const std::string& name, std::vector<std::string>& values, const std::string& help,
                            const std::string& type) const {
  app_->add_option(name, values, help)->type_name(type)->required();
}

bool Arguments::parsed() const { return app_->parsed(); }

}  // namespace tersor::client
