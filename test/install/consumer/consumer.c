/* A host that knows the runtime's C interface alone. The example manifest has
   no PTX beside it, so opening it must fail with a message that says so. */
#include <stdio.h>
#include <tda/runtime.h>

int main(int argc, char **argv) {
  tda_program *program = 0;
  if (argc < 2)
    return 2;
  if (tda_open(argv[1], &program) == TDA_OK) {
    puts("opened a manifest without its PTX");
    tda_close(program);
    return 1;
  }
  printf("runtime %s: %s\n", tda_runtime_version(), tda_last_error());
  return 0;
}
