// Comes after the kernel's text: the one function that the driver calls.
extern "C" int daybreak_launch(const unsigned* groups, const unsigned* items, void** parameters) {
  gridDim = {groups[0], groups[1], groups[2]};
  blockDim = {items[0], items[1], items[2]};
  daybreak::entry = [](void** given) { daybreak::call(DAYBREAK_KERNEL, given); };
  daybreak::parameters = parameters;
  std::vector<char> stacks(size_t(items[0]) * items[1] * items[2] * daybreak::kStack);
  bool backwards = false;
  for (unsigned z = 0; z < groups[2]; ++z)
    for (unsigned y = 0; y < groups[1]; ++y)
      for (unsigned x = 0; x < groups[0]; ++x) {
        blockIdx = {x, y, z};
        if (!daybreak::run_block(stacks, backwards)) return 1;
        backwards = !backwards;
      }
  return 0;
}
