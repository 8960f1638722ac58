// SPDX-License-Identifier: MIT
#include "core/device/hidraw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int hs_hidraw_open(const struct hs_device *dev, struct hs_error *err)
{
	int fd, rc;

	if (!dev->hidraw)
		return hs_error_set(err, -ENODEV,
				    "%s: no hidraw node: no driver is bound, or the kernel has no "
				    "CONFIG_HIDRAW",
				    dev->sysname);
	fd = open(dev->hidraw, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	rc = errno == ENOENT ? -ENODEV : -errno;
	if (rc == -EACCES)
		return hs_error_set(err, rc, "%s: %s: %s; run it as root", dev->sysname,
				    dev->hidraw, strerror(-rc));
	return hs_error_set(err, rc, "%s: %s: %s", dev->sysname, dev->hidraw, strerror(-rc));
}

ssize_t hs_hidraw_read(int fd, uint8_t buf[HS_REPORT_MAX])
{
	ssize_t n;

	do
		n = read(fd, buf, HS_REPORT_MAX);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno == EAGAIN)
		return 0;
	/* hidraw answers EIO once the device is off the bus. */
	return errno == EIO ? -ENODEV : -errno;
}
