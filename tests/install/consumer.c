/* SPDX-License-Identifier: MIT */
/* Somebody else's program: one call into each of several rooms of the library. */
#include <stdio.h>

#include <hidsmith/device/device.h>
#include <hidsmith/recording/recording.h>

int main(void)
{
	struct hs_error err = { 0 };
	struct hs_recording *recording = NULL;
	struct hs_device_list *devices = NULL;

	if (!hs_recording_read("/nonexistent/x.hid", &recording, &err) || recording) {
		fprintf(stderr, "a file that is not there was read\n");
		return 1;
	}
	if (hs_device_list_open(&devices, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("%zu devices\n", hs_device_list_count(devices));
	hs_device_list_free(devices);
	return 0;
}
