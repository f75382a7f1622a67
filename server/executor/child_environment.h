// What a started program sees of our environment.
#ifndef TERSOR_SERVER_EXECUTOR_CHILD_ENVIRONMENT_H_
#define TERSOR_SERVER_EXECUTOR_CHILD_ENVIRONMENT_H_

#include <string>
#include <vector>

namespace tersor {

// Of `variables` ("NAME=value"), those that say where things lie and how libraries compute. Everything else stays
// behind: a server's environment may hold secrets, and a worker reads models of strangers.
std::vector<std::string> ChildEnvironment(char* const* variables);

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_CHILD_ENVIRONMENT_H_
