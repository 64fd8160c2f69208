// A stand-in for libcuda and libnvrtc: kernels are compiled by the system's C++ compiler and run on
// this processor. It offers what daybreak_rise calls, refuses what a real driver refuses, and finds
// writes outside of buffers.
//
// CUDA_ON_CPU_BYTES: memory of the device. CUDA_ON_CPU_DRIVER: version that the driver says it has.
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace {

constexpr size_t kGuard = 4096;
constexpr unsigned char kCanary = 0xA5;
constexpr int kInvalid = 1, kOutOfMemory = 2, kNotFound = 500, kIllegalAddress = 700,
              kLaunchFailed = 719;

struct Block {
  size_t size;
  char* memory;
};
struct Module {
  std::string source, folder;
  void* library = nullptr;
  int (*launch)(const unsigned*, const unsigned*, void**) = nullptr;
};
struct Program {
  std::string source, log;
};

std::map<uint64_t, Block> blocks;
size_t taken = 0;
int sticky = 0;  // as on a real device: after a fault every call fails
int modules = 0;

size_t room() {
  const char* text = getenv("CUDA_ON_CPU_BYTES");
  return text ? strtoull(text, nullptr, 10) : size_t(1) << 30;
}

bool damaged(const Block& block) {
  for (size_t i = 0; i < kGuard; ++i)
    if ((unsigned char)block.memory[i] != kCanary ||
        (unsigned char)block.memory[kGuard + block.size + i] != kCanary)
      return true;
  return false;
}

std::string folder_of_this() {
  Dl_info info;
  dladdr((void*)&folder_of_this, &info);
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/'));
}

int shell(const std::string& command) { return system(command.c_str()); }

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string compiler(const std::string& folder) {
  return "c++ -std=c++17 -O1 -fno-strict-aliasing -w -I'" + folder_of_this() + "' '" + folder + "/kernel.cpp' ";
}

std::string scratch(const std::string& source, const std::string& tail) {
  std::string name = folder_of_this() + "/moduleXXXXXX";
  if (!mkdtemp(name.data())) return "";
  std::ofstream(name + "/kernel.cpp") << "#include \"device.h\"\n" << source << "\n" << tail;
  return name;
}

}  // namespace

extern "C" {

// ---- the driver

int cuInit(unsigned) { return 0; }
int cuDriverGetVersion(int* version) {
  const char* text = getenv("CUDA_ON_CPU_DRIVER");
  *version = text ? atoi(text) : 12080;
  return 0;
}
int cuDeviceGetCount(int* count) { return *count = 2, 0; }
int cuDeviceGet(int* device, int place) { return *device = 40 + place, place > 1 ? kInvalid : 0; }
int cuDeviceGetName(char* name, int size, int device) {
  snprintf(name, size, device == 40 ? "Processor as a GPU" : "Its twin");
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  const std::map<int, int> known = {{1, 1024}, {2, 1024}, {3, 1024}, {4, 64},
                                    {8, 49152}, {16, 1}, {75, 9}, {76, 0}};
  const auto found = known.find(attribute);
  if (found == known.end()) return kInvalid;
  return *value = found->second, 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) { return *context = (void*)(intptr_t)device, 0; }
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxSetCurrent(void*) { return 0; }
int cuCtxSynchronize() { return sticky; }

int cuMemAlloc_v2(uint64_t* address, size_t size) {
  if (sticky) return sticky;
  if (!size) return kInvalid;
  if (taken + size > room()) return kOutOfMemory;
  char* memory = (char*)aligned_alloc(kGuard, (size + 3 * kGuard - 1) / kGuard * kGuard);
  memset(memory, kCanary, kGuard);
  memset(memory + kGuard + size, kCanary, kGuard);
  *address = (uint64_t)(memory + kGuard);
  blocks[*address] = {size, memory};
  taken += size;
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  const auto found = blocks.find(address);
  if (found == blocks.end()) return kInvalid;
  taken -= found->second.size;
  free(found->second.memory);
  blocks.erase(found);
  return 0;
}
int cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t size) {
  const auto found = blocks.find(to);
  if (found == blocks.end() || size > found->second.size) return kInvalid;
  memcpy((void*)to, from, size);
  return sticky;
}
int cuMemcpyDtoH_v2(void* to, uint64_t from, size_t size) {
  const auto found = blocks.find(from);
  if (found == blocks.end() || size > found->second.size) return kInvalid;
  memcpy(to, (const void*)from, size);
  return sticky;
}

int cuModuleLoadData(void** module, const char* image) {
  *module = new Module{image, "", nullptr, nullptr};
  ++modules;
  return 0;
}
int cuModuleGetFunction(void** function, void* handle, const char* name) {
  Module* module = (Module*)handle;
  if (module->source.find(std::string(name) + "(") == std::string::npos) return kNotFound;
  module->folder = scratch(module->source, "#define DAYBREAK_KERNEL " + std::string(name) + "\n#include \"launch.h\"\n");
  if (shell(compiler(module->folder) + "-shared -fPIC -o '" + module->folder + "/kernel.so'")) return kNotFound;
  module->library = dlopen((module->folder + "/kernel.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module->library) return kNotFound;
  module->launch = (decltype(module->launch))dlsym(module->library, "daybreak_launch");
  *function = module;
  return 0;
}
int cuModuleUnload(void* handle) {
  Module* module = (Module*)handle;
  if (module->library) dlclose(module->library);
  shell("rm -rf '" + module->folder + "'");
  delete module;
  --modules;
  return 0;
}
int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                   unsigned bz, unsigned, void*, void** parameters, void** extra) {
  if (sticky) return sticky;
  if (extra || !gx || !gy || !gz || !bx || !by || !bz || bx > 1024 || by > 1024 || bz > 64 ||
      bx * by * bz > 1024 || gy > 65535 || gz > 65535)
    return kInvalid;
  const unsigned groups[] = {gx, gy, gz}, items[] = {bx, by, bz};
  if (((Module*)function)->launch(groups, items, parameters)) sticky = kLaunchFailed;
  for (const auto& block : blocks)
    if (damaged(block.second)) sticky = kIllegalAddress;
  return 0;
}

int cuEventCreate(void** event, unsigned) { return *event = new timespec, 0; }
int cuEventRecord(void* event, void*) { return clock_gettime(CLOCK_MONOTONIC, (timespec*)event), 0; }
int cuEventElapsedTime(float* milliseconds, void* from, void* to) {
  const timespec *a = (timespec*)from, *b = (timespec*)to;
  *milliseconds = 1e3 * (b->tv_sec - a->tv_sec) + 1e-6 * (b->tv_nsec - a->tv_nsec);
  return 0;
}
int cuEventDestroy_v2(void* event) { return delete (timespec*)event, 0; }

// ---- the run-time compiler; its "machine code" is the text

int nvrtcVersion(int* major, int* minor) { return *major = 12, *minor = 9, 0; }
int nvrtcGetNumSupportedArchs(int* count) { return *count = 3, 0; }
int nvrtcGetSupportedArchs(int* known) { return known[0] = 75, known[1] = 80, known[2] = 90, 0; }
int nvrtcCreateProgram(void** program, const char* source, const char*, int, const char**, const char**) {
  *program = new Program{source, ""};
  return 0;
}
int nvrtcDestroyProgram(void** program) { return delete (Program*)*program, 0; }
int nvrtcCompileProgram(void* handle, int count, const char** options) {
  Program* program = (Program*)handle;
  if (count != 1 || std::string(options[0]) != "--gpu-architecture=sm_90") {
    program->log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
    return 5;
  }
  const std::string folder = scratch(program->source, "");
  const int code = shell(compiler(folder) + "-fsyntax-only 2>'" + folder + "/log'");
  program->log = slurp(folder + "/log");
  shell("rm -rf '" + folder + "'");
  return code ? 6 : 0;
}
int nvrtcGetProgramLogSize(void* program, size_t* size) { return *size = ((Program*)program)->log.size() + 1, 0; }
int nvrtcGetProgramLog(void* program, char* log) { return strcpy(log, ((Program*)program)->log.c_str()), 0; }
int nvrtcGetCUBINSize(void* program, size_t* size) { return *size = ((Program*)program)->source.size() + 1, 0; }
int nvrtcGetCUBIN(void* program, char* code) { return strcpy(code, ((Program*)program)->source.c_str()), 0; }
int nvrtcGetPTXSize(void*, size_t*) { return kInvalid; }
int nvrtcGetPTX(void*, char*) { return kInvalid; }

// ---- for the tests

int standin_modules() { return modules; }
size_t standin_bytes() { return taken; }
void standin_recover() { sticky = 0; }
}
