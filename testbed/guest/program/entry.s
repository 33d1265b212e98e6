# The way from the VMM to `start`, and the way into and out of HLT.
#
# Entered by the PVH protocol: 32-bit, no paging, EBX points at the start info. Page tables, descriptors and
# the interrupt table are bytes of the file, so that no instruction is spent on making them.

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 4, 18                # name, descriptor, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   entry

        .section .text.entry, "ax"
        .code32
        .globl  entry
entry:
        mov     $stack_top, %esp
        mov     %cr4, %eax
        or      $0x620, %eax            # PAE, and SSE for builds that use it
        mov     %eax, %cr4
        mov     $page_map, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx       # EFER
        mov     $0x100, %eax            # LME
        xor     %edx, %edx
        wrmsr
        lgdt    descriptors_at
        mov     %cr0, %eax
        or      $0x80000001, %eax       # PG, PE
        mov     %eax, %cr0
        ljmp    $8, $long_mode

        .code64
long_mode:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        lidt    interrupts_at
        mov     %ebx, %edi
        call    start
        ud2

# Waits for the next interrupt, which is taken nowhere else. The way back is a plain return: what the
# interrupt pushed is dropped, for KVM's emulator knows no IRET in protected mode.
        .globl  idle
idle:
        sti
        hlt
        cli
        ret
        .globl  on_interrupt, on_spurious
on_interrupt:
        mov     $0xfee000b0, %eax       # the local APIC's end of interrupt
        movl    $0, (%rax)
on_spurious:
        mov     24(%rsp), %rsp          # as `idle` was called
        ret

# No handler and no way to tell: three faults in one, and the processor shuts down.
        .globl  triple_fault
triple_fault:
        lidt    nothing_at
        mov     $0x7fffffffffff, %rax   # not mapped
        mov     (%rax), %rax

        .section .data.tables, "aw"
        .balign 4096
        .globl  page_directory
page_directory:                         # 4 GiB as they are, 2 MiB each
        .set    page, 0
        .rept   2048
        .quad   page + 0x83
        .set    page, page + 0x200000
        .endr
page_pointers:
        .quad   page_directory + 0x0003, page_directory + 0x1003
        .quad   page_directory + 0x2003, page_directory + 0x3003
        .fill   508, 8, 0
page_map:
        .quad   page_pointers + 3
        .fill   511, 8, 0
descriptors:
        .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
interrupts:                             # vectors 0 to 31 are faults: not present
        .fill   64, 8, 0
        .word   on_interrupt_low, 8, 0x8e00, on_interrupt_high, 0, 0, 0, 0
        .word   on_spurious_low, 8, 0x8e00, on_spurious_high, 0, 0, 0, 0
interrupts_end:
descriptors_at:
        .word   23
        .quad   descriptors
interrupts_at:
        .word   interrupts_end - interrupts - 1
        .quad   interrupts
nothing_at:
        .word   0
        .quad   0

        .section .bss.stack, "aw", @nobits
        .balign 16
        .skip   16384
stack_top:
