// What others read about this process in /proc (and so by `ps -f`): a process that was forked and
// not executed shows the arguments and the environment of the one it was forked from.
//
// Sources: proc(5) (/proc/PID/stat fields 48 to 51, cmdline, environ), prctl(2) (PR_SET_NAME).
#pragma once

// From now on this process is called `title` (in `ps -e` by the first 15 bytes of it), and its
// environment has no variable `without` (NULL: it keeps all), neither for itself nor for who reads
// /proc. Pointers that were taken from argv, environ or getenv() before are not to be used again.
// For a process with one thread. Where there is no /proc only the name is set. A title longer than
// the arguments were takes room from the environment that others see, at its end.
void title_set(const char *title, const char *without);
