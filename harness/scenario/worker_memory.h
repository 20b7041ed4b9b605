// Where Criterion shares memory with its test processes: in the run's folder, not in /dev/shm.
//
// It makes one shared memory object for each test process ("/bxfi_PID") and removes it once that
// has started; when the run is killed in between, the object would stay in /dev/shm for ever, with
// nothing in its name to say whose it was. In the run's folder the guardian removes it.
//
// How: this file's shm_open and shm_unlink, linked into the suite, come before the C library's for
// Criterion's library too (ld.so(8), symbol resolution). Names of anybody else, and suites that no
// runner started, are served as by the C library: in /dev/shm.
//
// Source: shm_open(3); Criterion's process library BoxFort, sandbox-posix.c.
#pragma once

// Does nothing; referring to it links the two functions into a suite.
void worker_memory_link(void);
