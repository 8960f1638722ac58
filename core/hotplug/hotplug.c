// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "core/hotplug/hotplug.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "core/base/util.h"
#include "core/fixup/attached.h"
#include "core/fixup/fixup.h"
#include "core/fixup/pins.h"
#include "core/hotplug/hwdb.h"

#define HID_DEVICES "/sys/bus/hid/devices"

/* How long a killed worker may take to end before it is left to itself. */
#define REAP_MS 300

/* One device's turn. */
struct turn {
	const struct hs_hotplug *hotplug;
	const char *sysname;
	struct hs_hid_id id;
	struct hs_state state;
	struct hs_fixup_set *set;
	bool refresh;
	bool gone;
	int failed; /* errno of the first object that could not be attached */
	struct hs_error *err;
};

bool hs_hotplug_sysname_ok(const char *sysname)
{
	uint32_t hid_id;

	return hs_sysname_parse(sysname, &hid_id);
}

static void __attribute__((format(printf, 3, 4)))
say(const struct hs_hotplug *hotplug, int priority, const char *fmt, ...)
{
	char text[sizeof(((struct hs_error *)NULL)->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (hotplug->log)
		hotplug->log(priority, text, hotplug->data);
}

/*
 * Read what the kernel calls the device. Not from the environment and not through
 * libudev: there a device's name could have brought a line of its own.
 */
static int read_id(struct turn *turn)
{
	char path[128], modalias[64];
	unsigned int bus, group, vendor, product;
	hs_autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), HID_DEVICES "/%s/modalias", turn->sysname);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, modalias, sizeof(modalias) - 1);
	if (n < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	modalias[n] = 0;
	if (sscanf(modalias, "hid:b%4xg%4xv%8xp%8x", &bus, &group, &vendor, &product) != 4)
		return -ENODEV;
	turn->id = (struct hs_hid_id){
		.bus = (uint16_t)bus, .group = (uint16_t)group, .vendor = vendor, .product = product
	};
	return 0;
}

/* The driver that has the device, or "" for none. */
static void read_driver(const char *sysname, char driver[256])
{
	char path[128], target[256];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), HID_DEVICES "/%s/driver", sysname);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	base = strrchr(target, '/');
	snprintf(driver, 256, "%s", base ? base + 1 : target);
}

static void forget(struct turn *turn, struct hs_state_object *object)
{
	size_t index = (size_t)(object - turn->state.objects);

	memmove(object, object + 1, (--turn->state.n - index) * sizeof(*object));
}

static int detach(struct turn *turn, struct hs_state_object *object)
{
	int rc = hs_fixup_detach(turn->sysname, object->name, NULL, turn->err);

	if (rc < 0)
		return rc;
	forget(turn, object);
	return 0;
}

/* What a helper that was killed has begun and not ended: it has no digest. */
static int undo_unfinished(struct turn *turn)
{
	for (size_t i = turn->state.n; i-- > 0;) {
		int rc = turn->state.objects[i].digest ? 0 : detach(turn, &turn->state.objects[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Where the device's pins are; the caller closes it. Negative if there are none. */
static int open_pins(const char *sysname)
{
	char dir_name[HS_PIN_NAME_SIZE];
	hs_autoclose int root = hs_pins_open_root(HS_PIN_ROOT, false, NULL);

	if (root < 0 || hs_pin_name(sysname, dir_name) < 0)
		return -1;
	return openat(root, dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directories of pins that the device has; none is no error. */
static void read_pins(const char *sysname, struct hs_pin_names *names)
{
	hs_autoclose int dir = open_pins(sysname);

	*names = (struct hs_pin_names){ 0 };
	if (dir >= 0)
		hs_pin_names_read(dir, names);
}

static bool is_pin_of(const struct hs_state_object *object, const char *pin)
{
	char name[HS_PIN_NAME_SIZE];

	return !hs_pin_object_name(object->name, name) && !strcmp(name, pin);
}

/* Drop what is written down and has no pins any more: detached by hand. */
static void reconcile(struct turn *turn, const struct hs_pin_names *pins)
{
	for (size_t i = turn->state.n; i-- > 0;) {
		bool there = false;

		for (size_t k = 0; k < pins->n && !there; k++)
			there = is_pin_of(&turn->state.objects[i], pins->names[k]);
		if (!there)
			forget(turn, &turn->state.objects[i]);
	}
}

/*
 * Has somebody else, such as udev-hid-bpf or a user, pinned programs for it? A directory
 * without a link is what udev-hid-bpf leaves when the kernel has refused its program.
 */
static bool others_have_it(struct turn *turn, const struct hs_pin_names *pins)
{
	hs_autoclose int dir = open_pins(turn->sysname);

	for (size_t i = 0; i < pins->n; i++) {
		char name[HS_PIN_NAME_SIZE];
		bool own = false;

		for (size_t k = 0; k < turn->state.n && !own; k++)
			own = is_pin_of(&turn->state.objects[k], pins->names[i]);
		if (own || !hs_pins_alive(dir, pins->names[i]))
			continue;
		hs_pin_fixup_name(pins->names[i], name);
		say(turn->hotplug, LOG_NOTICE,
		    "%s: left alone: %s is attached already, and not by hidsmith's rule; "
		    "'hidsmith detach' makes room",
		    turn->sysname, name);
		return true;
	}
	return false;
}

/*
 * The properties that objects have set. Their values may come from the device:
 * printable characters that mean nothing to udev, and `_` for the others.
 */
static void print_exports(const char *sysname, FILE *out)
{
	struct hs_attached_list *list;

	if (hs_attached_exports_open(sysname, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < hs_attached_list_count(list); i++) {
		const struct hs_attached *attached = hs_attached_list_get(list, i);

		for (size_t k = 0; k < attached->n_exports; k++) {
			const struct hs_property *export = &attached->exports[k];

			/* What begins with HIDSMITH is ours alone to set. */
			if (!hs_property_name_ok(export->name) ||
			    !strncmp(export->name, "HIDSMITH", strlen("HIDSMITH")))
				continue;
			fprintf(out, "%s=", export->name);
			for (const char *c = export->value; *c; c++)
				fputc(isalnum((unsigned char)*c) || strchr(" #+-./:=@_,", *c) ? *c
											      : '_',
				      out);
			fputc('\n', out);
		}
	}
	hs_attached_list_free(list);
}

static void print_properties(const char *sysname, const struct hs_pin_names *pins, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < pins->n; i++) {
		char name[HS_PIN_NAME_SIZE];

		/* udev reads this line: what is not a plain name is not for it. */
		hs_pin_fixup_name(pins->names[i], name);
		if (!hs_hwdb_name_ok(name))
			continue;
		fprintf(out, "%s%s", any ? " " : "HIDSMITH_FIXUPS=", name);
		any = true;
	}
	if (any)
		fputc('\n', out);
	print_exports(sysname, out);
}

/* Write down what is there now; nothing leaves nothing behind. */
static int save(struct turn *turn)
{
	hs_autofree char *properties = NULL;
	struct hs_pin_names pins;
	size_t size;
	FILE *out;
	int rc = 0;

	read_pins(turn->sysname, &pins);
	out = open_memstream(&properties, &size);
	if (out)
		print_properties(turn->sysname, &pins, out);
	if (!out || fclose(out))
		rc = hs_error_set(turn->err, -ENOMEM, "%s: %s", turn->sysname, strerror(ENOMEM));
	else if (turn->state.n || pins.n || turn->state.waiting)
		rc = hs_state_write(&turn->state, properties, turn->err);
	else
		hs_state_remove(&turn->state);
	hs_pin_names_free(&pins);
	return rc;
}

static bool is_candidate(const struct turn *turn, const struct hs_fixup *fixup)
{
	return hs_fixup_matches(fixup, &turn->id) && hs_hwdb_name_ok(hs_fixup_name(fixup)) &&
	       hs_fixup_info(fixup)->interface != HS_INTERFACE_FMOD_RET &&
	       hs_config_fixup_enabled(turn->hotplug->config, hs_fixup_name(fixup));
}

static struct hs_fixup *next_candidate(const struct turn *turn, const char *group, size_t *index)
{
	while (*index < hs_fixup_set_count(turn->set)) {
		struct hs_fixup *fixup = hs_fixup_set_get(turn->set, (*index)++);

		if (is_candidate(turn, fixup) && (!group || !strcmp(hs_fixup_group(fixup), group)))
			return fixup;
	}
	return NULL;
}

static uint64_t mix(uint64_t digest, const char *text)
{
	for (const char *c = text; c && *c; c++)
		digest = (digest ^ (unsigned char)*c) * 0x100000001b3;
	/* so that no value and an empty one, or two and their sum, are not the same */
	return (digest ^ (text ? 0xff : 0x100)) * 0x100000001b3;
}

/* What the configuration has for a fixup. */
static uint64_t settings_digest(const struct turn *turn, const struct hs_fixup *fixup)
{
	const struct hs_fixup_info *info = hs_fixup_info(fixup);
	const struct hs_config *config = turn->hotplug->config;
	const char *name = hs_fixup_name(fixup);
	uint64_t digest = 0;

	for (size_t i = 0; i < info->n_settings; i++)
		digest = mix(digest,
			     hs_config_setting(config, name, &turn->id, info->settings[i].name));
	for (size_t i = 0; i < info->n_properties; i++)
		digest = mix(digest,
			     hs_config_property(config, name, &turn->id, info->properties[i].name));
	return digest;
}

/* Changes when any object of the group does, or its settings, or the order. */
static uint64_t candidates_digest(const struct turn *turn, const char *group)
{
	const struct hs_fixup *fixup;
	uint64_t digest = 0;
	size_t index = 0;

	while ((fixup = next_candidate(turn, group, &index)))
		digest = digest * 0x100000001b3 + hs_fixup_digest(fixup) +
			 settings_digest(turn, fixup) + 1;
	return digest;
}

/*
 * With the driver that the device has now: after another one has taken it, objects are
 * asked again whether they are for this device.
 */
static uint64_t with_driver(const struct turn *turn, uint64_t candidates)
{
	char driver[256];

	read_driver(turn->sysname, driver);
	return mix(candidates, driver);
}

static const char *group_of(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits && name[digits] == '-' ? name + digits + 1 : name;
}

static struct hs_state_object *find_group(struct turn *turn, const char *group)
{
	for (size_t i = 0; i < turn->state.n; i++)
		if (!strcmp(group_of(turn->state.objects[i].name), group))
			return &turn->state.objects[i];
	return NULL;
}

static void warn(const char *text, void *data)
{
	const struct turn *turn = data;

	say(turn->hotplug, LOG_WARNING, "%s", text);
}

/* Returns whether the group is served, or cannot be. */
static bool try_one(struct turn *turn, struct hs_fixup *fixup, uint64_t candidates)
{
	struct hs_attach_opts opts = { .size = sizeof(opts),
				       .property = turn->hotplug->property,
				       .property_data = turn->hotplug->data,
				       .config = turn->hotplug->config,
				       .warn = warn,
				       .warn_data = turn };
	struct hs_state_object *object;
	struct hs_error err = { 0 };
	int rc;

	if (turn->state.n == HS_STATE_OBJECTS_MAX)
		return true;
	object = &turn->state.objects[turn->state.n++];
	*object = (struct hs_state_object){ .candidates = candidates };
	snprintf(object->name, sizeof(object->name), "%s", hs_fixup_name(fixup));
	/* Written down first: whoever comes after us must know of it if we are killed. */
	rc = hs_state_write(&turn->state, "", &err);
	if (!rc)
		rc = hs_fixup_attach(fixup, turn->sysname, &opts, &err);
	if (!rc) {
		object->digest = hs_fixup_digest(fixup);
		/* The driver that came of it, where the descriptor has changed. */
		object->candidates = with_driver(turn, candidates);
		say(turn->hotplug, LOG_INFO, "%s: attached %s", turn->sysname,
		    hs_fixup_path(fixup));
		return true;
	}
	forget(turn, object);
	/* An object can give this for a device that is there: that is no reason to be silent. */
	turn->gone = rc == -ENODEV && read_id(turn) == -ENODEV;
	if (turn->gone)
		return true;
	/* The first failure is that of the best object; it may become the result. */
	if (rc == -ECANCELED || turn->failed) {
		say(turn->hotplug, rc == -ECANCELED ? LOG_DEBUG : LOG_ERR, "%s", err.text);
		return false;
	}
	turn->failed = rc;
	*turn->err = err;
	return false;
}

static int serve_group(struct turn *turn, const char *group)
{
	uint64_t candidates = candidates_digest(turn, group);
	struct hs_state_object *object = find_group(turn, group);
	struct hs_fixup *fixup;
	size_t index = 0;
	int rc;

	if (object && (!turn->refresh || object->candidates == with_driver(turn, candidates)))
		return 0;
	if (object) {
		rc = detach(turn, object);
		if (rc < 0)
			return rc;
	}
	while ((fixup = next_candidate(turn, group, &index)))
		if (try_one(turn, fixup, candidates))
			break;
	return 0;
}

/* Objects that were attached and have no place any more: removed, or switched off. */
static int detach_obsolete(struct turn *turn)
{
	for (size_t i = turn->state.n; i-- > 0;) {
		size_t index = 0;
		int rc;

		if (next_candidate(turn, group_of(turn->state.objects[i].name), &index))
			continue;
		rc = detach(turn, &turn->state.objects[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int serve_groups(struct turn *turn)
{
	struct hs_fixup *fixup;
	size_t index = 0;
	int rc = turn->refresh ? detach_obsolete(turn) : 0;

	/* A group is met again with each of its objects, and is served by then. */
	while (!rc && !turn->gone && (fixup = next_candidate(turn, NULL, &index))) {
		const char *group = hs_fixup_group(fixup);
		size_t first = 0;

		if (next_candidate(turn, group, &first) == fixup)
			rc = serve_group(turn, group);
	}
	return rc;
}

static int open_objects(struct turn *turn, const char *dirs)
{
	int rc = hs_fixup_set_open(dirs, HS_OPEN_TRUSTED_ONLY, &turn->set, turn->err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < hs_fixup_set_problem_count(turn->set); i++)
		say(turn->hotplug, LOG_WARNING, "%s", hs_fixup_set_problem(turn->set, i));
	return 0;
}

/* Before it has a driver, the kernel shows no report descriptor. */
static bool has_no_driver(const char *sysname)
{
	char path[128], byte;
	hs_autoclose int fd = -1;

	snprintf(path, sizeof(path), HID_DEVICES "/%s/report_descriptor", sysname);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && !read(fd, &byte, 1);
}

/*
 * The helper may be quicker than the driver's probe, and where udev loads the driver's
 * module it does so after us. An object with a probe cannot tell then whether the
 * device is its own: it is asked again by a helper that the bind event starts.
 */
static int wait_for_driver(struct turn *turn)
{
	struct hs_fixup *fixup;
	size_t index = 0;
	int rc;

	turn->state.waiting = false;
	while ((fixup = next_candidate(turn, NULL, &index)))
		if (hs_fixup_info(fixup)->has_probe)
			break;
	if (!fixup || !has_no_driver(turn->sysname))
		return 0;
	turn->state.waiting = true;
	rc = hs_state_write(&turn->state, "", turn->err);
	/* What was bound meanwhile had its event when nobody waited for it. */
	turn->state.waiting = has_no_driver(turn->sysname);
	return rc;
}

static int serve(struct turn *turn)
{
	struct hs_pin_names pins;
	int rc, saved;

	rc = undo_unfinished(turn);
	if (rc < 0)
		return rc;
	read_pins(turn->sysname, &pins);
	reconcile(turn, &pins);
	if (!others_have_it(turn, &pins)) {
		rc = wait_for_driver(turn);
		if (!rc)
			rc = serve_groups(turn);
	}
	hs_pin_names_free(&pins);
	if (turn->gone) {
		hs_fixup_detach(turn->sysname, NULL, NULL, NULL);
		turn->state.n = 0;
		turn->state.waiting = false;
	}
	saved = save(turn);
	return rc < 0 ? rc : saved;
}

static int do_add(struct turn *turn)
{
	const struct hs_config *config = turn->hotplug->config;
	bool off;
	int rc;

	rc = read_id(turn);
	if (rc == -ENODEV)
		return 0;
	if (rc < 0)
		return hs_error_set(turn->err, rc, "%s: modalias: %s", turn->sysname,
				    strerror(-rc));
	off = !hs_config_enabled(config) || !hs_config_device_enabled(config, &turn->id);
	if (off && !turn->refresh) {
		say(turn->hotplug, LOG_INFO, "%s: switched off in " HS_CONFIG_PATH, turn->sysname);
		return 0;
	}
	/* Where all is off, a refresh detaches what no object is left for. */
	rc = open_objects(turn, off ? "" : turn->hotplug->dirs);
	if (!rc)
		rc = hs_state_open(turn->sysname, true, &turn->state, turn->err);
	if (!rc) {
		rc = serve(turn);
		hs_state_close(&turn->state);
	}
	hs_fixup_set_free(turn->set);
	if (rc < 0 || !turn->failed || turn->gone)
		return rc;
	if (!turn->state.n)
		return turn->failed;
	/* The device has something, if not the best. */
	say(turn->hotplug, LOG_ERR, "%s", turn->err->text);
	return 0;
}

static int do_refresh(struct turn *turn)
{
	turn->refresh = true;
	return do_add(turn);
}

static int do_remove(struct turn *turn)
{
	int rc = hs_state_open(turn->sysname, false, &turn->state, turn->err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = hs_fixup_detach(turn->sysname, NULL, NULL, turn->err);
	if (rc >= 0)
		hs_state_remove(&turn->state);
	hs_state_close(&turn->state);
	return rc < 0 ? rc : 0;
}

static int do_detach(struct turn *turn)
{
	int rc = hs_state_open(turn->sysname, false, &turn->state, turn->err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	while (!rc && turn->state.n)
		rc = detach(turn, &turn->state.objects[turn->state.n - 1]);
	if (!rc)
		hs_state_remove(&turn->state);
	hs_state_close(&turn->state);
	return rc;
}

/* Called after a worker was killed: what it had begun goes. */
static void clean_up(struct turn *turn)
{
	if (hs_state_open(turn->sysname, false, &turn->state, NULL) < 0)
		return;
	if (!undo_unfinished(turn))
		save(turn);
	hs_state_close(&turn->state);
}

/* Returns whether the process has ended within @ms. */
static bool wait_for(pid_t pid, int pidfd, unsigned int ms, int *status)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, (int)ms);
	while (n < 0 && errno == EINTR);
	return n > 0 && waitpid(pid, status, 0) == pid;
}

static int give_up(struct turn *turn, pid_t pid, int pidfd, unsigned int ms)
{
	int status;

	kill(pid, SIGKILL);
	/*
	 * It may be deep in the kernel, waiting for the device. Then it has pinned
	 * nothing, and what it holds goes with it; we cannot wait for that.
	 */
	if (wait_for(pid, pidfd, REAP_MS, &status))
		clean_up(turn);
	return hs_error_set(turn->err, -ETIMEDOUT,
			    "%s: given up after %u ms: the device is slow to answer; it is left "
			    "as it was; see 'deadline' in hidsmith.conf(5)",
			    turn->sysname, ms);
}

/* Let a child do the work, and watch the clock. */
static int supervise(struct turn *turn, int (*work)(struct turn *turn))
{
	unsigned int ms = hs_config_deadline(turn->hotplug->config);
	struct hs_error *caller = turn->err;
	struct hs_error *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	hs_autoclose int pidfd = -1;
	int status = 0, rc;
	pid_t pid;

	if (shared == MAP_FAILED)
		return hs_error_set(caller, -ENOMEM, "%s: %s", turn->sysname, strerror(ENOMEM));
	turn->err = shared;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		rc = work(turn);
		shared->code = rc;
		_exit(rc < 0);
	}
	if (pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid < 0 || pidfd < 0) {
		rc = hs_error_set(shared, -errno, "%s: %s", turn->sysname, strerror(errno));
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
		}
	} else if (!wait_for(pid, pidfd, ms, &status)) {
		rc = give_up(turn, pid, pidfd, ms);
	} else if (WIFSIGNALED(status)) {
		clean_up(turn);
		rc = hs_error_set(shared, -EIO, "%s: the worker died of signal %d", turn->sysname,
				  WTERMSIG(status));
	} else {
		rc = WEXITSTATUS(status) ? shared->code : 0;
	}
	if (caller && rc < 0)
		*caller = *shared;
	munmap(shared, sizeof(*shared));
	turn->err = caller;
	return rc;
}

static int run(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err,
	       int (*work)(struct turn *turn))
{
	struct turn turn = {
		.hotplug = hotplug, .sysname = sysname, .state = { .dir = -1 }, .err = err
	};

	if (!hs_hotplug_sysname_ok(sysname))
		return hs_error_set(err, -EINVAL,
				    "not the name of a HID device, such as 0003:28BD:0914.0004");
	return supervise(&turn, work);
}

int hs_hotplug_add(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err)
{
	return run(hotplug, sysname, err, do_add);
}

int hs_hotplug_remove(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err)
{
	return run(hotplug, sysname, err, do_remove);
}

int hs_hotplug_refresh(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err)
{
	return run(hotplug, sysname, err, do_refresh);
}

int hs_hotplug_detach(const struct hs_hotplug *hotplug, const char *sysname, struct hs_error *err)
{
	return run(hotplug, sysname, err, do_detach);
}

void hs_hotplug_note(const char *sysname)
{
	struct turn turn = { .sysname = sysname, .state = { .dir = -1 } };
	struct hs_pin_names pins;
	char path[128];
	int fd;

	read_pins(sysname, &pins);
	if (hs_state_open(sysname, pins.n > 0, &turn.state, NULL) == 0) {
		reconcile(&turn, &pins);
		save(&turn);
		hs_state_close(&turn.state);
		/* udev's rule reads what we wrote when it sees the device again. */
		snprintf(path, sizeof(path), HID_DEVICES "/%s/uevent", sysname);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		/* A device that has gone has no properties to be shown. */
		if (fd >= 0)
			(void)!write(fd, "change", strlen("change"));
		hs_closep(&fd);
	}
	hs_pin_names_free(&pins);
}
