// SPDX-License-Identifier: MIT
#include "core/device/hidio.h"

#include <errno.h>
#include <hidapi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/device/set-report.h"

struct hs_hidio {
	hid_device *dev;
	uint32_t hid_id;
	char sysname[64];
};

int hs_hidio_open(const struct hs_device *dev, struct hs_hidio **out, struct hs_error *err)
{
	struct hs_hidio *io;
	int rc = 0;

	if (!dev->hidraw)
		return hs_error_set(err, -ENODEV,
				    "%s: no hidraw node: no driver is bound, or the kernel has no "
				    "CONFIG_HIDRAW",
				    dev->sysname);
	io = calloc(1, sizeof(*io));
	if (!io)
		return hs_error_set(err, -ENOMEM, "out of memory");
	snprintf(io->sysname, sizeof(io->sysname), "%s", dev->sysname);
	io->hid_id = dev->hid_id;
	/* hidapi says that it failed; access() says why. */
	io->dev = hid_open_path(dev->hidraw);
	if (!io->dev) {
		rc = access(dev->hidraw, R_OK | W_OK) ? -errno : -EIO;
		rc = rc == -ENOENT ? -ENODEV : rc;
	}
	if (!rc) {
		*out = io;
		return 0;
	}
	hs_hidio_close(io);
	return hs_error_set(err, rc, "%s: %s: %s%s", dev->sysname, dev->hidraw, strerror(-rc),
			    rc == -EACCES ? "; run it as root" : "");
}

void hs_hidio_close(struct hs_hidio *io)
{
	if (!io)
		return;
	if (io->dev)
		hid_close(io->dev);
	free(io);
}

/* @return bytes, or -1 with errno set */
static int perform(struct hs_hidio *io, struct hs_request *req, uint8_t *buf, size_t buf_size)
{
	switch (req->type) {
	case HS_REQUEST_OUTPUT:
		return hid_write(io->dev, req->data, req->size);
	case HS_REQUEST_SET_FEATURE:
		return hid_send_feature_report(io->dev, req->data, req->size);
	case HS_REQUEST_SET_OUTPUT:
		break; /* not by hidraw: set_output() */
	case HS_REQUEST_GET_FEATURE:
		memset(buf, 0, buf_size);
		buf[0] = req->report_id;
		return hid_get_feature_report(io->dev, buf, buf_size);
	case HS_REQUEST_GET_INPUT:
		memset(buf, 0, buf_size);
		buf[0] = req->report_id;
		return hid_get_input_report(io->dev, buf, buf_size);
	}
	errno = EINVAL;
	return -1;
}

static int set_output(struct hs_hidio *io, struct hs_request *req, struct hs_error *err)
{
	int result = 0;
	int rc = hs_set_output_report(io->hid_id, req->data, req->size, &result, err);

	if (rc < 0) {
		hs_error_prefix(err, "%s", io->sysname);
		return rc;
	}
	req->answer = result < 0 ? HS_ANSWER_ERROR : HS_ANSWER_OK;
	req->error = result < 0 ? -result : 0;
	return 0;
}

int hs_hidio_request(struct hs_hidio *io, struct hs_request *req, uint8_t *buf, size_t buf_size,
		     struct hs_error *err)
{
	bool get = req->type == HS_REQUEST_GET_FEATURE || req->type == HS_REQUEST_GET_INPUT;
	int n;

	if (req->size > HS_REPORT_MAX || buf_size > HS_REPORT_MAX)
		return hs_error_set(err, -EINVAL, "%s: a request of more than %d bytes",
				    io->sysname, HS_REPORT_MAX);
	if (req->type == HS_REQUEST_SET_OUTPUT)
		return set_output(io, req, err);
	errno = 0;
	n = perform(io, req, buf, buf_size);
	if (n < 0) {
		int error = errno ? errno : EIO;

		if (error == ENODEV || error == ENXIO)
			return hs_error_set(err, -ENODEV, "%s: went away", io->sysname);
		req->answer = HS_ANSWER_ERROR;
		req->error = error;
		return 0;
	}
	req->answer = HS_ANSWER_OK;
	if (get) {
		req->answer_data = buf;
		req->answer_size = (size_t)n;
	}
	return 0;
}

int hs_hidio_read(struct hs_hidio *io, uint8_t *buf, int timeout_ms, struct hs_error *err)
{
	int n = hid_read_timeout(io->dev, buf, HS_REPORT_MAX, timeout_ms);

	return n < 0 ? hs_error_set(err, -ENODEV, "%s: went away", io->sysname) : n;
}
