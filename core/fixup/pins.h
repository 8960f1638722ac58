/* SPDX-License-Identifier: MIT */
/*
 * The layout of pins: ROOT/DEVICE/OBJECT/PIN, all of it on a bpffs. Private to
 * core/fixup.
 *
 * DEVICE is the sysname and OBJECT the object's file name without `.o`, with `_` for
 * `:` and `.`, which bpffs refuses: "0003_28BD_0914_0004/0010-ugee__tablets_bpf". PIN
 * is a link, called like its struct_ops map, or a map. Everything is done relative to open directories and no
 * symlink is followed, so that what was checked is what is changed.
 */
#ifndef HS_FIXUP_PINS_H
#define HS_FIXUP_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/* Room for a name below bpffs, with its final 0. */
#define HS_PIN_NAME_SIZE 256

enum hs_pin_type {
	HS_PIN_LINK,
	HS_PIN_MAP,
	HS_PIN_PROG,
	HS_PIN_OTHER, /* a kernel that knows more kinds than we do */
};

/* `_` for each `.` and `:`. Returns -ENAMETOOLONG if it does not fit. */
int hs_pin_name(const char *name, char buf[HS_PIN_NAME_SIZE]);

/* The directory of a fixup. Returns -ENAMETOOLONG if it does not fit. */
int hs_pin_object_name(const char *fixup, char buf[HS_PIN_NAME_SIZE]);

/* The fixup that a directory is of. */
void hs_pin_fixup_name(const char *dir, char buf[HS_PIN_NAME_SIZE]);

/*
 * "0003:28BD:0914.0004": is it one, and which hid_id does it have?
 */
bool hs_sysname_parse(const char *sysname, uint32_t *hid_id);

/* The sysname that a directory of pins stands for. Returns false if it is none. */
bool hs_pin_sysname(const char *dir, char buf[HS_PIN_NAME_SIZE]);

/*
 * Open the directory of all pins.
 *
 * @create: make it if it is not there
 *
 * Returns a file descriptor; -ENOENT if it is not there (no error text is needed
 * then: nothing is attached); -ENOTSUP no bpffs; -EPERM.
 */
int hs_pins_open_root(const char *root, bool create, struct hs_error *err);

/*
 * Open the directory of one device and lock it against other attaches and
 * detaches, of other processes too. Closing the descriptor unlocks.
 *
 * Returns a file descriptor or a negative errno; -ENOENT as above.
 */
int hs_pins_open_device(int root, const char *sysname, bool create, struct hs_error *err);

/*
 * Open one pin and tell what it is.
 *
 * Returns a BPF file descriptor or a negative errno.
 */
int hs_pin_open(int dir, const char *name, enum hs_pin_type *type);

/* Pin @fd as @name in @dir. Returns 0 or a negative errno. */
int hs_pin(int fd, int dir, const char *name);

/* A directory's entries without "." and "..", sorted. */
struct hs_pin_names {
	char **names;
	size_t n;
};

/* Returns 0 or a negative errno. */
int hs_pin_names_read(int dir, struct hs_pin_names *names);
void hs_pin_names_free(struct hs_pin_names *names);

/*
 * Does an object's directory have a link that is still attached? A dead or half
 * made directory has none.
 */
bool hs_pins_alive(int device, const char *object);

/*
 * Remove an object's directory: links first, so that no program runs without its
 * maps. Anything in it that is not a pin stops it before anything is removed.
 */
int hs_pins_remove(int device, const char *object, struct hs_error *err);

/* Remove a device's directory if nothing is left in it. */
void hs_pins_remove_device(int root, const char *sysname);

#endif /* HS_FIXUP_PINS_H */
