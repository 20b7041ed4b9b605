// Who owns what a run creates, in a form that another process can check later: a process id alone
// is reused, so the owner is (host, boot, namespaces, pid, start time of that pid).
//
// Sources: proc(5), /proc/PID/stat field 22 (starttime, clock ticks since boot) and
// /proc/sys/kernel/random/boot_id; machine-id(5), which asks for a keyed hash in place of the id;
// pid_namespaces(7): in a container a pid means nothing to those outside; time_namespaces(7):
// starttime is shifted in one.
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OWNER_TEXT_SIZE 128

struct owner {
    char host[20];       // keyed hash of machine id and host name, 16 hex digits
    char boot_id[40];    // differs between boots
    char namespaces[28]; // "initial", or "PID-NAMESPACE.TIME-NAMESPACE" (inode numbers)
    pid_t pid;
    uint64_t start_ticks;
};

enum owner_state {
    OWNER_UNKNOWN, // of another host or container, or hidden from us: leave it alone
    OWNER_ALIVE,
    OWNER_DEAD, // provably: this boot and our namespaces with the process gone, or an earlier boot
};

bool owner_self(struct owner *ret_owner, struct error *err) must_use;

// "host/boot/namespaces/pid/ticks": letters, digits, '-', '.' and '/' only; fit for a label.
void owner_format(const struct owner *self, char text[OWNER_TEXT_SIZE]);

// Anything that owner_format could not have written is ERROR_PROTOCOL.
bool owner_parse(const char *text, struct owner *ret_owner, struct error *err) must_use;

// Never guesses: whatever cannot be proved from here is OWNER_UNKNOWN. An owner of another boot of
// this host is dead only if it lived outside containers: a container's machine id and host name
// may come from its image, and then two hosts that share an engine look alike.
enum owner_state owner_judge(const struct owner *self);

// The same seen from `here`, which owner_judge takes from owner_self().
enum owner_state owner_judge_from(const struct owner *self, const struct owner *here);
