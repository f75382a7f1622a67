// OpenBLAS on one thread. Private to core/linalg.
#ifndef TERSOR_CORE_LINALG_SINGLE_THREAD_H_
#define TERSOR_CORE_LINALG_SINGLE_THREAD_H_

namespace tersor {

// While it lives, OpenBLAS works on the calling thread: it takes OpenMP's number of threads, whatever it was told
// itself.
class BlasThreadScope {
 public:
  BlasThreadScope();
  ~BlasThreadScope();
  BlasThreadScope(const BlasThreadScope&) = delete;
  BlasThreadScope& operator=(const BlasThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_SINGLE_THREAD_H_
