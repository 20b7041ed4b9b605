// Preloaded by ci/faults/run: hands the system calls of a program to it, to be made to fail.
//
//   FAULT_CALLS=openat,read,…   which ones; "all": every one of the table below
//   FAULT_SOCKET=FD             a Unix stream socket: gets "openat=257 read=0 …" and, with it, the
//                               descriptor on which the kernel asks what is to become of each call
//
// The kernel itself asks (seccomp_unotify(2)), whoever makes the call: the program, a library, the
// inside of libc, which wrappers in a preloaded library would not see. It needs no ptrace and costs
// nothing for other calls. strace(1) can inject too, but counts in each thread for itself, so "the
// n-th" is not one call of a program with threads, and it would hit suites, tools and the guardian
// as well. The filter is inherited by all descendants; the runner lets theirs go on. Asked is from
// this library's constructor on, about the beginning of main(): the loader's calls are not ours.
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the name of this architecture for seccomp is wanted here"
#endif

// Not there: close, for a call that is made to fail is not made, and the file would stay open,
// which no real failure of close does; sendmmsg, by which the descriptor goes to the runner.
static const struct {
    const char *name;
    int number;
} CALLS[] = {
#define CALL(name) {#name, SYS_##name},
#ifdef SYS_open // the older half of the calls; newer architectures have only the other
    CALL(open) CALL(access) CALL(dup2) CALL(fork) CALL(mkdir) CALL(poll) CALL(readlink) CALL(
        rename) CALL(rmdir) CALL(stat) CALL(lstat) CALL(unlink) CALL(epoll_wait) CALL(select)
#endif
        CALL(openat) CALL(read) CALL(pread64) CALL(write) CALL(writev) CALL(pwrite64) CALL(
            lseek) CALL(socket) CALL(connect) CALL(bind) CALL(listen) CALL(accept4) CALL(socketpair)
            CALL(getsockname) CALL(getpeername) CALL(getsockopt) CALL(setsockopt) CALL(sendto) CALL(
                recvfrom) CALL(sendmsg) CALL(recvmsg) CALL(ppoll) CALL(pselect6) CALL(pipe2)
                CALL(clone) CALL(clone3) CALL(execve) CALL(wait4) CALL(waitid) CALL(kill) CALL(mmap)
                    CALL(mprotect) CALL(madvise) CALL(renameat) CALL(renameat2) CALL(mkdirat) CALL(
                        unlinkat) CALL(ftruncate) CALL(fallocate) CALL(fsync) CALL(fchmod)
                        CALL(fchmodat) CALL(fchown) CALL(fchownat) CALL(fstat) CALL(newfstatat)
                            CALL(statx) CALL(statfs) CALL(fstatfs) CALL(getdents64) CALL(faccessat)
                                CALL(faccessat2) CALL(readlinkat) CALL(getcwd) CALL(chdir) CALL(
                                    epoll_create1) CALL(epoll_ctl) CALL(epoll_pwait) CALL(eventfd2)
                                    CALL(timerfd_create) CALL(memfd_create) CALL(pidfd_open) CALL(
                                        pidfd_send_signal) CALL(fcntl) CALL(ioctl) CALL(flock)
                                        CALL(dup) CALL(dup3) CALL(close_range) CALL(setpgid)
                                            CALL(setsid) CALL(prctl) CALL(getrandom)
                                                CALL(clock_nanosleep) CALL(getppid) CALL(umask)
                                                    CALL(uname) CALL(rt_sigprocmask)
#undef CALL
};

#define CALL_COUNT (sizeof CALLS / sizeof *CALLS)

static int is_wanted(const char *wanted, const char *name) {
    const size_t length = strlen(name);
    if (strcmp(wanted, "all") == 0)
        return 1;
    for (const char *at = wanted; (at = strstr(at, name)) != NULL; at++)
        if ((at == wanted || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return 1;
    return 0;
}

// Asks for the wanted calls of this architecture, lets all others go. Returns the descriptor, or
// -1.
static int install_filter(const char *wanted) {
    struct sock_filter program[CALL_COUNT * 2 + 6];
    unsigned short count = 0;
    program[count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program[count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (!is_wanted(wanted, CALLS[i].name))
            continue;
        program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                        (unsigned)CALLS[i].number, 0, 1);
        program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    }
    program[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {.len = count, .filter = program};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); // without it only root may
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &filter);
}

static void hand_over(int socket, int listener) {
    char names[4096] = "";
    size_t length = 0;
    for (size_t i = 0; i < CALL_COUNT; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s=%d ", CALLS[i].name,
                                   CALLS[i].number);
    char control[CMSG_SPACE(sizeof listener)] = {0};
    struct iovec piece = {.iov_base = names, .iov_len = length};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece,
                                          .msg_iovlen = 1,
                                          .msg_control = control,
                                          .msg_controllen = sizeof control}};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message.msg_hdr);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof listener);
    memcpy(CMSG_DATA(header), &listener, sizeof listener);
    if (sendmmsg(socket, &message, 1, MSG_NOSIGNAL) != 1)
        _exit(125);
}

__attribute__((constructor)) static void begin(void) {
    const char *wanted = getenv("FAULT_CALLS");
    const char *socket_text = getenv("FAULT_SOCKET");
    if (wanted == NULL || socket_text == NULL)
        return;
    const int socket = (int)strtol(socket_text, NULL, 10);
    unsetenv("FAULT_CALLS");
    unsetenv("FAULT_SOCKET");
    unsetenv("LD_PRELOAD");
    const int listener = install_filter(wanted);
    if (listener >= 0) {
        hand_over(socket, listener);
        close(listener);
    }
    close(socket); // without a word: the kernel did not allow it
}
