/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VEIKK's tablets: one line for each model.
 *
 *   vendor, product	USB
 *   in			bytes of the interface's longest input report, report ID
 *			included: where one product ID stands for two firmwares
 *			(VARIANT) it tells them apart
 *   packets		how they are read, see the fixup
 *   wakes		how many of the three wake-ups it must be sent
 *   w, h		active area in 1/100 mm
 *   x, y, p		largest coordinates and pressure
 *   buttons		on the pad
 *
 * The values are facts collected by the OpenTabletDriver project. Not here: the VK430,
 * whose versions only a USB string tells apart, and the first firmwares of S640, A30
 * and A50, whose packets nobody has described.
 */
#ifndef VEIKK_MODELS_H
#define VEIKK_MODELS_H

/* clang-format off */
#define VEIKK_MODELS(MODEL, VARIANT) \
	/* VEIKK S640 V2 */ \
	MODEL(0x2feb, 0x0001, 13, PLAIN, 1, 15240, 10160, 30480, 20320, 8191, 0) \
	/* VEIKK A30 V2 */ \
	MODEL(0x2feb, 0x0002, 13, PLAIN, 3, 25400, 15875, 50800, 31750, 8191, 4) \
	/* VEIKK A50 (Variant 2) */ \
	MODEL(0x2feb, 0x0003, 13, PLAIN, 1, 25400, 15240, 50800, 30480, 8191, 4) \
	/* VEIKK A15 V2 */ \
	MODEL(0x2feb, 0x0004, 13, PLAIN, 3, 25400, 15240, 50800, 31750, 8191, 12) \
	/* VEIKK A15 */ \
	VARIANT(0x2feb, 0x0004, 9, A15, 3, 25400, 15240, 50800, 30480, 8191, 12) \
	/* VEIKK VK640 */ \
	MODEL(0x2feb, 0x0005, 13, TILT, 3, 15240, 10160, 30480, 20320, 8191, 6) \
	/* VEIKK A15 Pro */ \
	MODEL(0x2feb, 0x0006, 13, TILT, 1, 25400, 15240, 50800, 30480, 8191, 12) \
	/* VEIKK VK1060PRO */ \
	MODEL(0x2feb, 0x0007, 13, PLAIN, 3, 25400, 15875, 50800, 31750, 8191, 8) \
	/* VEIKK VK1060 */ \
	MODEL(0x2feb, 0x0008, 13, TILT, 3, 25400, 15875, 50800, 31750, 8191, 8) \
	/* VEIKK Voila (VO1060) */ \
	MODEL(0x2feb, 0x000b, 13, PLAIN, 2, 25400, 15875, 50800, 31750, 8191, 5) \
	/* XOPPOX D161 */ \
	MODEL(0x2feb, 0x1004, 13, PLAIN, 3, 34420, 19360, 68840, 38720, 8191, 8)
/* clang-format on */

#endif /* VEIKK_MODELS_H */
