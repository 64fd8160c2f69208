// CUDA C++ on a processor: what a kernel's text may use, and a way to run it block by block.
//
// The threads of a block are contexts of this one thread. They change places at barriers only, in one
// order before the first barrier and the opposite one after it, so that a barrier that is missing
// shows in the values.
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __shared__ static
#define __constant__ static const
#define __launch_bounds__(n)
#define __align__(n) __attribute__((aligned(n)))
#define __syncthreads() daybreak::barrier(__LINE__)

using std::max;
using std::min;

struct Place {
  unsigned x, y, z;
};
static Place threadIdx, blockIdx, blockDim, gridDim;

namespace daybreak {

constexpr size_t kStack = 1 << 16;
constexpr int kRunning = -1, kDone = -2;

static ucontext_t scheduler;
static std::vector<ucontext_t> contexts;
static std::vector<int> states;  // the line of the barrier that is waited at, or one of the above
static unsigned current;
static void (*entry)(void**);
static void** parameters;

static void barrier(int line) {
  const unsigned own = current;
  const Place place = threadIdx;
  states[own] = line;
  swapcontext(&contexts[own], &scheduler);
  current = own;
  threadIdx = place;
}

static void thread() {
  entry(parameters);
  states[current] = kDone;
  swapcontext(&contexts[current], &scheduler);
}

// Runs one block; false where its threads wait at different barriers.
static bool run_block(std::vector<char>& stacks, bool backwards) {
  const unsigned count = blockDim.x * blockDim.y * blockDim.z;
  states.assign(count, kRunning);
  contexts.resize(count);
  for (unsigned i = 0; i < count; ++i) {
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = stacks.data() + i * kStack;
    contexts[i].uc_stack.ss_size = kStack;
    contexts[i].uc_link = nullptr;
    makecontext(&contexts[i], thread, 0);
  }
  for (bool left = true; left; backwards = !backwards) {
    for (unsigned k = 0; k < count; ++k) {
      const unsigned i = backwards ? count - 1 - k : k;
      if (states[i] == kDone) continue;
      current = i;
      threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
      swapcontext(&scheduler, &contexts[i]);
    }
    left = false;
    int line = 0;
    for (const int state : states) {
      if (state == kDone) continue;
      if (left && state != line) return false;
      line = state;
      left = true;
    }
  }
  return true;
}

template <typename... A, size_t... I>
void spread(void (*kernel)(A...), void** given, std::index_sequence<I...>) {
  kernel(*static_cast<A*>(given[I])...);
}

template <typename... A>
void call(void (*kernel)(A...), void** given) {
  spread(kernel, given, std::index_sequence_for<A...>());
}

}  // namespace daybreak
