// Requests that no well-meaning client sends.
#ifndef TERSOR_TESTS_SERVER_TESTING_HTTP_SIEGE_H_
#define TERSOR_TESTS_SERVER_TESTING_HTTP_SIEGE_H_

#include <random>
#include <string>

namespace tersor::testing {

// Requests that are cut off, spliced, mutated or made of noise; the same for the same generator.
std::string HostileRequest(std::mt19937& random);

// Sends `count` of them to `address`, 8 at a time. Returns how many were answered by a status line, which by far not
// all are to be.
int SendHostileRequests(const std::string& address, int count, unsigned seed);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_HTTP_SIEGE_H_
