// SPDX-License-Identifier: GPL-2.0
/*
 * What UEFI firmware starts from a disk: has the firmware load the Linux image
 * that lies behind the code, and starts it with a command line. efiboot.py
 * makes a PE file of it.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u64 (*efi_fn)(u64 a, ...) __attribute__((ms_abi));

/* Numbers of services in the table, pointers behind its header of 24 bytes. */
#define HANDLE_PROTOCOL	16
#define LOAD_IMAGE	22
#define START_IMAGE	23

struct boot_services {
	u64 header[3];
	efi_fn fn[];
};

struct system_table {
	u64 before[12];
	struct boot_services *bs;
};

struct loaded_image {
	u32 revision;
	void *parent;
	struct system_table *st;
	void *device;
	void *path;
	void *reserved;
	u32 options_size;
	void *options;
};

struct guid {
	u32 a;
	u8 rest[12];
};

/* Behind the code: sizes, then the command line in 16-bit units, the image. */
struct payload {
	u64 options_size;
	u64 image_size;
	u8 data[];
};

extern struct payload payload __attribute__((visibility("hidden")));

static void say(const char *s)
{
	for (; *s; s++)
		__asm__ volatile("outb %0, %1" : : "a"(*s), "Nd"((short)0x3f8));
}

static struct loaded_image *image_of(struct boot_services *bs, void *handle)
{
	struct guid guid = { 0x5b1b31a1, {
		0x62, 0x95, 0xd2, 0x11, 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69,
		0x72, 0x3b } };
	struct loaded_image *image = 0;

	bs->fn[HANDLE_PROTOCOL]((u64)handle, &guid, &image);
	return image;
}

__attribute__((ms_abi, section(".text.start")))
u64 efi_start(void *self, struct system_table *st)
{
	struct boot_services *bs = st->bs;
	struct loaded_image *mine, *linux_image;
	void *handle = 0;

	say("efiboot: started by the firmware\r\n");
	if (bs->fn[LOAD_IMAGE](0, self, (void *)0,
			       payload.data + payload.options_size,
			       payload.image_size, &handle)) {
		say("efiboot: the firmware refuses the Linux image\r\n");
		return 1;
	}
	mine = image_of(bs, self);
	linux_image = image_of(bs, handle);
	/* The initramfs is looked for on the device the image came from. */
	linux_image->device = mine->device;
	linux_image->options = payload.data;
	linux_image->options_size = payload.options_size;
	say("efiboot: start Linux\r\n");
	return bs->fn[START_IMAGE]((u64)handle, (void *)0, (void *)0);
}
