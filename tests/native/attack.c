/*
 * Tries what a hostile native function would try, by system calls of its own (the instruction, no
 * library), and tells how each try ended: {"what": error number, 0 for success}. With CONTROL it is
 * a program that makes the same tries outside.
 */

#define _GNU_SOURCE
#include "keylane.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long raw(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long answer;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

static char *text;
static size_t used, room;

static void tell(const char *what, long answer) {
    if (used + 100 < room)
        used += (size_t)sprintf(text + used, "%s\"%s\":%ld", used > 1 ? "," : "", what,
                                answer < 0 && answer > -4096 ? -answer : 0);
}

#define TRY(what, number, a, b, c, d, e, f)                                                    \
    tell(what, raw(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

/* Tries that leave the process as it was, wherever it runs: the control makes these alone. */
static void harmless(void) {
    static char zeros[256];
    static unsigned long limit[2];
    TRY("open /etc/passwd", SYS_open, "/etc/passwd", O_RDONLY, 0, 0, 0, 0);
    TRY("openat /proc/self/status", SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY, 0, 0, 0);
    TRY("open /proc/self/mem", SYS_open, "/proc/self/mem", O_RDWR, 0, 0, 0, 0);
    TRY("open /", SYS_open, "/", O_RDONLY | O_DIRECTORY, 0, 0, 0, 0);
    TRY("stat of an own pidfd", SYS_pidfd_open, raw(SYS_getpid, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0);
    TRY("kill the parent with signal 0", SYS_kill, raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0);
    TRY("tgkill itself with signal 0", SYS_tgkill, raw(SYS_getpid, 0, 0, 0, 0, 0, 0),
        raw(SYS_gettid, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0);
    TRY("prlimit of the parent", SYS_prlimit64, raw(SYS_getppid, 0, 0, 0, 0, 0, 0), 7, 0, limit, 0, 0);
    TRY("memfd_create", SYS_memfd_create, "x", 0, 0, 0, 0, 0);
    TRY("socket AF_INET", SYS_socket, 2, 1, 0, 0, 0, 0);
    TRY("socket AF_UNIX", SYS_socket, 1, 1, 0, 0, 0, 0);
    TRY("membarrier", SYS_membarrier, 0, 0, 0, 0, 0, 0);
    TRY("personality", SYS_personality, 0xffffffff, 0, 0, 0, 0, 0);
    TRY("landlock version", SYS_landlock_create_ruleset, 0, 0, 1, 0, 0, 0);
    TRY("inotify_init1", SYS_inotify_init1, 0, 0, 0, 0, 0, 0);
    TRY("timer_create", SYS_timer_create, 0, 0, zeros, 0, 0, 0);
    TRY("get_robust_list of the parent", SYS_get_robust_list, 0, zeros, zeros + 8, 0, 0, 0);
    TRY("setpriority", SYS_setpriority, 0, 0, 5, 0, 0, 0);
    TRY("process_vm_readv", SYS_process_vm_readv, raw(SYS_getpid, 0, 0, 0, 0, 0, 0), zeros, 0, zeros, 0, 0);
    TRY("prctl PR_SET_DUMPABLE", SYS_prctl, 4, 1, 0, 0, 0, 0);
}

#ifndef CONTROL
/* Tries that would change the process, or the machine, if they worked. */
static void harmful(void) {
    static char zeros[256];
    /* No file can be written, so that none can be mapped executable after writing. */
    TRY("create a file", SYS_open, "new", O_CREAT | O_WRONLY, 0600, 0, 0, 0);
    TRY("write the own object", SYS_open, "lib.so", O_WRONLY, 0, 0, 0, 0);
    TRY("truncate the own object", SYS_open, "lib.so", O_RDONLY | O_TRUNC, 0, 0, 0, 0);
    TRY("list the tree's parent", SYS_open, "..", O_RDONLY | O_DIRECTORY, 0, 0, 0, 0);
    TRY("io_uring_setup", SYS_io_uring_setup, 1, zeros, 0, 0, 0, 0);
    TRY("userfaultfd", SYS_userfaultfd, 1, 0, 0, 0, 0, 0);
    TRY("bpf", SYS_bpf, 0, zeros, 0, 0, 0, 0);
    TRY("perf_event_open", SYS_perf_event_open, zeros, 0, -1, -1, 0, 0);
    TRY("ptrace traceme", SYS_ptrace, 0, 0, 0, 0, 0, 0);
    TRY("unshare a user namespace", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0, 0);
    TRY("clone into a user namespace", SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0, 0);
    TRY("mount", SYS_mount, "/", "/", 0, 4096, 0, 0);
    TRY("chroot", SYS_chroot, "/", 0, 0, 0, 0, 0);
    TRY("execve", SYS_execve, "/bin/sh", 0, 0, 0, 0, 0);
    TRY("execveat of the loader", SYS_execveat, AT_FDCWD, "/lib64/ld-linux-x86-64.so.2", 0, 0, 0, 0);
    TRY("seccomp", SYS_seccomp, 2, 0, zeros, 0, 0, 0);
    TRY("prctl PR_SET_SECCOMP", SYS_prctl, 22, 1, 0, 0, 0, 0);
    TRY("setuid", SYS_setuid, 0, 0, 0, 0, 0, 0);
    TRY("setsid", SYS_setsid, 0, 0, 0, 0, 0, 0);
    TRY("modify_ldt", SYS_modify_ldt, 0, zeros, 0, 0, 0, 0);
    TRY("arch_prctl ARCH_SET_GS", SYS_arch_prctl, 0x1001, 0, 0, 0, 0, 0);
    TRY("pkey_alloc", SYS_pkey_alloc, 0, 0, 0, 0, 0, 0);
    TRY("vmsplice", SYS_vmsplice, 1, zeros, 0, 0, 0, 0);
    TRY("keyctl", SYS_keyctl, 0, 0, 0, 0, 0, 0);
    TRY("shmget", SYS_shmget, 0, 4096, 01600, 0, 0, 0);
    TRY("ioctl TIOCSTI", SYS_ioctl, 1, 0x5412, zeros, 0, 0, 0);
    TRY("F_SETOWN", SYS_fcntl, 1, 8, raw(SYS_getpid, 0, 0, 0, 0, 0, 0), 0, 0, 0);
    TRY("x32 getpid", 0x40000000 | SYS_getpid, 0, 0, 0, 0, 0, 0);
}
#endif

static int all(void) {
    room = 16384;
    text = (char *)malloc(room);
    if (!text)
        return 0;
    used = (size_t)sprintf(text, "{");
    harmless();
#ifndef CONTROL
    harmful();
#endif
    text[used++] = '}';
    text[used] = 0;
    return 1;
}

#ifdef CONTROL
int main(void) { return all() && puts(text) >= 0 ? 0 : 1; }
#else
KEYLANE_FUNCTION(context, event, length, response) {
    (void)context;
    (void)event;
    (void)length;
    if (!all())
        return KEYLANE_ERROR;
    return keylane_result_owned(response, text, used);
}
#endif
