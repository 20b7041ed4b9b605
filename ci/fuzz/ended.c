// Linked into each fuzzer in place of _exit(): a reader that ends the process by itself, be it that
// it believes to be out of memory, is a finding, and abort() lets libFuzzer keep the input that did
// it.
#include <stdlib.h>

_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status) {
    (void)status;
    abort();
}
