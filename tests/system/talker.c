// SPDX-License-Identifier: MIT
/*
 * The device of a recording, at somebody's command: answers requests by the
 * recording's standing answers as often as it is asked, and sends its reports when
 * told so. Unlike a replay it does not mind being probed again.
 *
 *   talker FILE
 *
 * Writes the device's sysname when a driver is bound. Reads commands: "play" sends all
 * reports, one each 10 ms; at the end of input the device is unplugged. Requests that
 * it was asked are written to standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/util.h"
#include "core/device/uhid.h"

static bool matches(const struct hs_request *script, const struct hs_request *req)
{
	if (script->type != req->type || script->size != req->size)
		return false;
	if (!req->data)
		return script->report_id == req->report_id;
	for (size_t i = 0; i < req->size; i++)
		if ((!script->mask || script->mask[i]) && script->data[i] != req->data[i])
			return false;
	return true;
}

static void on_request(struct hs_request *req, void *data)
{
	const struct hs_recording *rec = data;
	char text[512];

	req->answer = HS_ANSWER_ERROR;
	req->error = EIO;
	for (size_t i = 0; i < hs_recording_entry_count(rec); i++) {
		const struct hs_entry *e = hs_recording_entry(rec, i);

		if (e->type != HS_ENTRY_REQUEST || !matches(&e->request, req))
			continue;
		req->answer = e->request.answer;
		req->error = e->request.error;
		req->late_ms = e->request.late_ms;
		req->answer_data = e->request.answer_data;
		req->answer_size = e->request.answer_size;
		break;
	}
	fprintf(stderr, "%s\n", hs_request_format(req, text, sizeof(text)));
}

static void on_answered(void *data)
{
	(void)data;
}

static void on_refused(const char *what, unsigned int report_id, void *data)
{
	(void)data;
	fprintf(stderr, "refused %s %02x\n", what, report_id);
}

static void on_state(enum hs_uhid_state state, void *data)
{
	(void)state;
	(void)data;
}

static void play(const struct hs_recording *rec, struct hs_uhid *dev)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000000 };

	for (size_t i = 0; i < hs_recording_entry_count(rec); i++) {
		const struct hs_entry *e = hs_recording_entry(rec, i);

		if (e->type != HS_ENTRY_INPUT)
			continue;
		hs_uhid_input(dev, e->input.data, e->input.size);
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	static const struct hs_uhid_ops ops = { on_request, on_answered, on_refused, on_state };
	struct hs_recording *rec = NULL;
	struct hs_uhid *dev = NULL;
	struct hs_error err = { 0 };
	char line[64];

	if (argc != 2 || hs_recording_read(argv[1], &rec, &err) < 0 ||
	    hs_uhid_create(hs_recording_device(rec, 0), &ops, rec, &dev, &err) < 0 ||
	    hs_uhid_wait_bound(dev, 20000, &err) < 0) {
		fprintf(stderr, "talker: %s\n", err.text);
		return 1;
	}
	printf("%s\n", hs_uhid_sysname(dev));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (!strcmp(line, "play\n"))
			play(rec, dev);
	hs_uhid_destroy(dev);
	hs_recording_free(rec);
	return 0;
}
