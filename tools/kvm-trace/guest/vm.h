/* One virtual machine: memory, vCPUs, and what can be done to them. */
#ifndef KVM_TRACE_VM_H
#define KVM_TRACE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm.h"

#define VCPUS_MAX 8
#define BLOCK_BYTES (2ul << 20)
#define PAGE_BYTES 4096ul
#define RAM_BLOCKS 4
#define RAM_BYTES (RAM_BLOCKS * BLOCK_BYTES)
#define RAM_AT 0x80000000ul

struct vcpu {
	long fd;
	struct vcpu_page *page;
	size_t page_bytes;
	struct vm *vm;
	bool running;
};

struct vm {
	long fd;
	char *ram;
	unsigned vcpus;
	/* Only every so-manieth page is touched. */
	unsigned sparse;
	struct vcpu vcpu[VCPUS_MAX];
	bool stop;
};

void vm_create(struct vm *, long kvm, unsigned vcpus, unsigned sparse);
/* Blocks are split when logging begins; does nothing where the kernel cannot. */
void vm_split_eagerly(struct vm *, long kvm);
/* vCPU 0 touches every page of `bytes` of memory, or of several only the first, and comes back. */
void vm_touch(struct vm *, unsigned long from, unsigned long bytes, unsigned of_several,
	      bool store);
/* All other vCPUs read all memory, over and over, in threads of their own. */
void vm_start_others(struct vm *);
void vm_stop_others(struct vm *);
void vm_log_dirty(struct vm *, bool on);
void vm_fetch_dirty(struct vm *);
/* The slot is removed: everything is unmapped. */
void vm_remove_memory(struct vm *);
void vm_destroy(struct vm *);

#endif
