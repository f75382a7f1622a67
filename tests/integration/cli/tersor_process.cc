#include "tests/integration/cli/tersor_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/testing/tiny_model.h"

namespace tersor::testing {
namespace {

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream input(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), {}};
}

void Redirect(const std::filesystem::path& path, int flags, int descriptor) {
  int file = open(path.c_str(), flags, 0644);
  dup2(file, descriptor);
  close(file);
}

}  // namespace

TersorProcess::TersorProcess(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                             const std::string& input, int64_t file_limit) {
  static std::atomic<int> counter{0};
  std::string stem = "io" + std::to_string(++counter);
  out_ = folder / (stem + ".out");
  err_ = folder / (stem + ".err");
  std::filesystem::path in = folder / (stem + ".in");
  std::ofstream(in, std::ios::binary) << input;
  std::vector<std::string> words = {TERSOR_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  if (chdir(folder.c_str()) != 0) _exit(99);
  Redirect(in, O_RDONLY, STDIN_FILENO);
  Redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
  Redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  if (file_limit >= 0) {
    rlimit limit{static_cast<rlim_t>(file_limit), static_cast<rlim_t>(file_limit)};
    setrlimit(RLIMIT_FSIZE, &limit);
    // A write past the limit is then an error like that of a full disk.
    signal(SIGXFSZ, SIG_IGN);
  }
  execv(argv[0], argv.data());
  _exit(98);
}

TersorProcess::~TersorProcess() {
  if (pid_ <= 0 || Ended()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
}

void TersorProcess::Signal(int signal) const { kill(pid_, signal); }

bool TersorProcess::Ended() {
  if (pid_ <= 0) return true;
  if (waitpid(pid_, &status_, WNOHANG) != pid_) return false;
  pid_ = 0;
  return true;
}

bool TersorProcess::WaitFor(const std::function<bool()>& condition) {
  while (true) {
    bool ended = Ended();
    if (condition()) return true;
    if (ended) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool TersorProcess::WaitForError(const std::string& text) {
  return WaitFor([&] { return Slurp(err_).find(text) != std::string::npos; });
}

ProcessResult TersorProcess::Wait() {
  if (pid_ > 0) {
    waitpid(pid_, &status_, 0);
    pid_ = 0;
  }
  ProcessResult result;
  result.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  result.out = Slurp(out_);
  result.err = Slurp(err_);
  return result;
}

void CliTest::SetUp() {
  const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
  folder_ = std::filesystem::path(::testing::TempDir()) / (std::string(info->test_suite_name()) + "_" + info->name());
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_ / "data/text");
  ASSERT_TRUE(WriteTinyModel(folder_ / "model").ok());
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "The quick brown fox number " + std::to_string(i * i) + " jumps. ";
  Write("data/text/foxes.txt", text);
  setenv("TERSOR_DATA_PATH", (folder_ / "data").c_str(), 1);
  setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  unsetenv("TERSOR_SERVER");
}

void CliTest::TearDown() { std::filesystem::remove_all(folder_); }

std::string CliTest::Write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ / name, std::ios::binary) << text;
  return name;
}

std::string CliTest::Read(const std::string& name) const { return Slurp(folder_ / name); }

}  // namespace tersor::testing
