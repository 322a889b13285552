// The code of a domain in the tests: it is given a page that it shares with the supervisor and does
// what it is asked to there, honest work and attacks alike. It needs no C library, no thread-local
// storage and no relocation.
#include <stdint.h>

struct channel {
    volatile uint32_t asked;    // raised by the supervisor
    volatile uint32_t answered; // raised here
    volatile uint64_t what;
    volatile uint64_t given[7];
    volatile uint64_t result;
};

enum {
    SUM, READ, WRITE, CALL, SPIN, JUMP, ILLEGAL, PRIVILEGED, TRAP, DIVIDE, WILD_STACK, OVERFLOW,
    CALL32, STEP, RIGHTS, REPLACE, EXECUTE,
};

// Where an attacker wants to get with rights that are not its own: 64 bytes before `enter`. It answers
// with the rights that it has, whatever is in the registers; the channel lies 16 MiB before the image.
__asm__(".balign 64\n"
        "arrived:\n"
        "xor %ecx, %ecx\n rdpkru\n"
        "lea arrived(%rip), %rdi\n and $-0x100000, %rdi\n sub $0x1000000, %rdi\n"
        "mov %rax, 72(%rdi)\n movl $-1, 4(%rdi)\n"
        "jmp .\n"
        ".balign 64\n");

// Notes what the gate handed over, before anything of it is used: at 0x200 the registers, flags,
// bases and rights, at 0x400 the state that FXSAVE knows, at 0x600 the vector registers.
__asm__(".globl enter\n"
        "enter:\n"
        "mov %rax, 0x200(%rdi)\n mov %rbx, 0x208(%rdi)\n mov %rcx, 0x210(%rdi)\n"
        "mov %rdx, 0x218(%rdi)\n mov %rsi, 0x220(%rdi)\n mov %rbp, 0x228(%rdi)\n"
        "mov %r8, 0x230(%rdi)\n mov %r9, 0x238(%rdi)\n mov %r10, 0x240(%rdi)\n"
        "mov %r11, 0x248(%rdi)\n mov %r12, 0x250(%rdi)\n mov %r13, 0x258(%rdi)\n"
        "mov %r14, 0x260(%rdi)\n mov %r15, 0x268(%rdi)\n"
        "pushfq\n popq 0x270(%rdi)\n"
        "rdfsbase %rax\n mov %rax, 0x278(%rdi)\n rdgsbase %rax\n mov %rax, 0x280(%rdi)\n"
        "xor %ecx, %ecx\n rdpkru\n mov %rax, 0x288(%rdi)\n"
        "fxsave64 0x400(%rdi)\n"
        "vmovdqu %ymm0, 0x600(%rdi)\n vmovdqu %ymm1, 0x620(%rdi)\n vmovdqu %ymm2, 0x640(%rdi)\n"
        "vmovdqu %ymm3, 0x660(%rdi)\n vmovdqu %ymm4, 0x680(%rdi)\n vmovdqu %ymm5, 0x6a0(%rdi)\n"
        "vmovdqu %ymm6, 0x6c0(%rdi)\n vmovdqu %ymm7, 0x6e0(%rdi)\n vmovdqu %ymm8, 0x700(%rdi)\n"
        "vmovdqu %ymm9, 0x720(%rdi)\n vmovdqu %ymm10, 0x740(%rdi)\n vmovdqu %ymm11, 0x760(%rdi)\n"
        "vmovdqu %ymm12, 0x780(%rdi)\n vmovdqu %ymm13, 0x7a0(%rdi)\n vmovdqu %ymm14, 0x7c0(%rdi)\n"
        "vmovdqu %ymm15, 0x7e0(%rdi)\n"
        "jmp serve\n");

__attribute__((visibility("hidden"))) void enter(void);

static uint64_t call(uint64_t number, const volatile uint64_t *a) {
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    uint64_t answer;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

static uint64_t rights(void) {
    uint32_t low, high;
    __asm__ volatile("rdpkru" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static uint64_t sum(volatile uint64_t *heap, uint64_t count) {
    uint64_t all = 0;
    for (uint64_t i = 0; i < count; i++)
        heap[i] = i * i;
    for (uint64_t i = 0; i < count; i++)
        all += heap[i];
    return all;
}

static uint64_t deep(volatile uint64_t *from) {
    volatile uint64_t here[64];
    here[0] = *from + 1;
    return deep(here) + here[0];
}

static uint64_t act(struct channel *c) {
    volatile uint64_t *a = c->given;
    switch (c->what) {
    case SUM:
        return sum((volatile uint64_t *)a[0], a[1]);
    case READ:
        return *(volatile uint64_t *)a[0];
    case WRITE:
        *(volatile uint64_t *)a[0] = a[1];
        return 0;
    case CALL:
        return call(a[0], a + 1);
    case SPIN:
        for (;;)
            __asm__ volatile("");
    case JUMP: // to an address, with registers of the attacker's choice: RAX, R12, R14, RDI, RSI,
               // R15; a return there leads to where R12 says
        __asm__ volatile("mov 8(%%rbx), %%rax\n mov 16(%%rbx), %%r12\n mov 24(%%rbx), %%r14\n"
                         "mov 32(%%rbx), %%rdi\n mov 40(%%rbx), %%rsi\n mov 48(%%rbx), %%r15\n"
                         "push %%r12\n push %%r12\n xor %%ecx, %%ecx\n"
                         "xor %%edx, %%edx\n jmp *(%%rbx)" ::"b"(a)
                         : "memory");
        __builtin_unreachable();
    case ILLEGAL:
        __asm__ volatile("ud2");
        return 0;
    case PRIVILEGED:
        __asm__ volatile("hlt");
        return 0;
    case TRAP:
        __asm__ volatile("int3");
        return 0;
    case DIVIDE:
        __asm__ volatile("xor %%ecx, %%ecx\n div %%ecx" ::"a"(1), "d"(0) : "ecx");
        return 0;
    case WILD_STACK: // a fault with the stack pointer at a victim's page
        __asm__ volatile("mov %0, %%rsp\n mov %1, %%r15\n mov (%2), %%rax" ::"r"(a[0]), "r"(a[1]),
                         "r"(a[2])
                         : "rax", "r15", "memory");
        return 0;
    case OVERFLOW:
        return deep(a);
    case CALL32:
        __asm__ volatile("int $0x80" ::"a"(a[0]) : "memory");
        return 0;
    case STEP: // single steps, beginning before a jump
        __asm__ volatile("mov %1, %%r11\n xor %%ecx, %%ecx\n xor %%edx, %%edx\n"
                         "pushfq\n orq $0x100, (%%rsp)\n popfq\n jmp *%%r11" ::"a"(a[0]),
                         "r"(a[1])
                         : "memory");
        __builtin_unreachable();
    case RIGHTS:
        return rights();
    case REPLACE: // code of the own image
        *(volatile uint64_t *)(void *)enter = 0;
        return 0;
    case EXECUTE: // a return instruction in the own heap
        *(volatile uint8_t *)a[0] = 0xc3;
        ((void (*)(void))a[0])();
        return 0;
    }
    return ~0ull;
}

__attribute__((used, noreturn)) void serve(struct channel *c) {
    for (uint32_t seen = 0;; seen++) {
        uint64_t wait[6] = {(uint64_t)&c->asked, 128, seen, 0, 0, 0};
        while (c->asked == seen)
            call(202, wait);
        c->result = act(c);
        c->answered = seen + 1;
        uint64_t wake[6] = {(uint64_t)&c->answered, 129, 1, 0, 0, 0};
        call(202, wake);
    }
}
