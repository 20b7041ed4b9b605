// Where Criterion keeps what it shares with its test processes: in the run's folder, not in
// /dev/shm and /tmp, where it would stay for ever when the run is killed, with nothing in its name
// to say whose it was. In the run's folder the guardian removes it.
//
//   "/bxfi_PID"                shared memory, one object a test process, until that has started
//   /tmp/criterion_PID.sock    by which test processes report, one a suite
//
// How: this file's shm_open, shm_unlink, bind and connect, linked into the suite, come before
// the C library's for Criterion's libraries too (ld.so(8), symbol resolution). Names of
// anybody else, and suites that no runner started, are served as by the C library.
//
// Sources: shm_open(3), unix(7); Criterion's process library BoxFort, sandbox-posix.c; its
// protocol, which goes over nanomsg's "ipc" transport.
#pragma once

// Does nothing; referring to it links the functions into a suite.
void worker_memory_link(void);
