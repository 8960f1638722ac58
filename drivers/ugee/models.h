/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tablets of the UGEE family: one line for each model.
 *
 *   vendor, product	USB; UGEE's own, sold as XP-Pen, UGEE, Parblo, Adesso
 *   in, out		bytes of the longest input and output report of the
 *			interface that speaks the tablet's own protocol, report ID
 *			included; an out of 0 is any. They tell that interface from
 *			the others and, where one product ID stands for several
 *			firmwares (VARIANT), the firmwares from each other
 *   packets		how pen packets are read, see the fixup
 *   wake, wake2	what it must be sent after report ID 2, high byte first;
 *			wake2 is 0 where one is enough
 *   w, h		active area in 1/100 mm
 *   x, y, p		largest coordinates and pressure
 *   buttons		on the pad
 *
 * The values are facts collected by the OpenTabletDriver project from devices and
 * vendor drivers. Not here: models that the kernel's hid-uclogic serves, models
 * that want a USB string read first (HID cannot), and models whose packets nobody
 * has described.
 */
#ifndef UGEE_MODELS_H
#define UGEE_MODELS_H

/* clang-format off */
#define UGEE_MODELS(MODEL, VARIANT)                                                       \
	/* Parblo Ninos M */ \
	MODEL(0x0483, 0xa005, 10, 0, XP_PEN, 0xb004, 0x0000, 21720, 12522, 20320, 10160, 8191, 8) \
	/* Parblo Ninos S */ \
	MODEL(0x0483, 0xa006, 10, 0, XP_PEN, 0xb004, 0x0000, 15200, 9500, 24743, 16380, 8191, 5) \
	/* Parblo Intangbo M */ \
	MODEL(0x0483, 0xa013, 10, 0, XP_PEN, 0xb004, 0x0000, 26050, 16000, 26050, 16000, 8191, 8) \
	/* Parblo Intangbo S */ \
	MODEL(0x0483, 0xa014, 10, 0, XP_PEN, 0xb004, 0x0000, 17750, 10350, 17306, 10045, 8191, 6) \
	/* Parblo Ninos N4 */ \
	MODEL(0x0483, 0xa019, 10, 0, XP_PEN, 0xb004, 0x0000, 10800, 8100, 21600, 16200, 8191, 0) \
	/* Parblo Ninos N7 */ \
	MODEL(0x0483, 0xa020, 10, 0, XP_PEN, 0xb004, 0x0000, 17780, 11109, 25200, 15745, 8191, 0) \
	/* Parblo A610 Pro */ \
	MODEL(0x0483, 0xa022, 10, 0, XP_PEN, 0xb004, 0x0000, 25200, 15750, 25200, 15750, 8191, 8) \
	/* Parblo Ninos N7B */ \
	MODEL(0x0483, 0xa20b, 10, 0, XP_PEN, 0xb004, 0x0000, 17780, 11400, 28799, 16199, 8191, 4) \
	/* Parblo A640 V2 */ \
	MODEL(0x0483, 0xa640, 10, 0, XP_PEN, 0xb004, 0x0000, 15000, 9000, 31203, 18730, 8191, 4) \
	/* XP-Pen Artist 13.3 */ \
	MODEL(0x28bd, 0x000b, 8, 0, XP_PEN, 0xb002, 0x0000, 29376, 16524, 29376, 16524, 8191, 6) \
	/* XP-Pen Artist 15.6 */ \
	MODEL(0x28bd, 0x000c, 8, 0, XP_PEN, 0xb002, 0x0000, 34419, 19461, 34419, 19461, 8191, 6) \
	/* XP-Pen Star G540 Pro */ \
	MODEL(0x28bd, 0x0061, 8, 0, XP_PEN, 0xb002, 0x0000, 13680, 7303, 54720, 29210, 8191, 0) \
	/* XP-Pen Star 06C */ \
	MODEL(0x28bd, 0x0062, 8, 0, XP_PEN, 0xb002, 0x0000, 25400, 15240, 50800, 30480, 8191, 6) \
	/* XP-Pen Star 03 Pro */ \
	MODEL(0x28bd, 0x0077, 8, 0, XP_PEN, 0xb002, 0x0000, 25400, 15240, 50800, 30480, 8191, 8) \
	/* XP-Pen Deco 03 */ \
	MODEL(0x28bd, 0x0096, 8, 0, XP_PEN, 0xb002, 0x0000, 25400, 14288, 50800, 28575, 8191, 6) \
	/* XP-Pen Deco 02 */ \
	MODEL(0x28bd, 0x0803, 10, 0, XP_PEN, 0xb002, 0x0000, 25400, 14288, 22352, 13970, 8191, 6) \
	/* XP-Pen Artist 12 */ \
	MODEL(0x28bd, 0x080a, 10, 0, XP_PEN, 0xb004, 0xb002, 25632, 14418, 25632, 14418, 8191, 6) \
	/* XP-Pen Deco 01 V2 */ \
	MODEL(0x28bd, 0x0902, 10, 0, XP_PEN, 0xb004, 0x0000, 25400, 15875, 25400, 15875, 8191, 8) \
	/* XP-Pen Deco 01 V2 */ \
	VARIANT(0x28bd, 0x0902, 12, 0, XP_PEN, 0xb004, 0x0000, 25400, 15875, 50800, 31750, 8191, 8) \
	/* XP-Pen Deco Pro Medium */ \
	MODEL(0x28bd, 0x0904, 10, 0, XP_PEN, 0xb004, 0x0000, 27899, 15700, 55798, 31399, 8191, 8) \
	/* XP-Pen Star G640S */ \
	MODEL(0x28bd, 0x0906, 10, 0, XP_PEN, 0xb004, 0x0000, 16500, 10300, 32999, 20599, 8191, 6) \
	/* XP-Pen Star G640S */ \
	VARIANT(0x28bd, 0x0906, 12, 0, XP_PEN, 0xb004, 0x0000, 16500, 10300, 32999, 20599, 8191, 6) \
	/* XP-Pen Star 03 */ \
	MODEL(0x28bd, 0x0907, 10, 0, XP_PEN, 0xb004, 0x0000, 25400, 15240, 50800, 30480, 8191, 8) \
	/* XP-Pen Star 03 */ \
	VARIANT(0x28bd, 0x0907, 12, 0, XP_PEN, 0xb004, 0x0000, 25400, 15240, 50800, 30480, 8191, 8) \
	/* XP-Pen Artist 15.6 Pro */ \
	MODEL(0x28bd, 0x090d, 10, 0, XP_PEN, 0xb004, 0x0000, 34416, 19359, 34416, 19359, 8191, 8) \
	/* Adesso Cybertablet K8 */ \
	MODEL(0x28bd, 0x0910, 10, 0, XP_PEN, 0xb004, 0x0000, 20320, 11430, 20320, 11430, 8191, 6) \
	/* XP-Pen Star G430S V2 */ \
	MODEL(0x28bd, 0x0913, 12, 0, XP_PEN, 0xb004, 0x0000, 10160, 7620, 10160, 7620, 8191, 0) \
	/* XP-Pen Star G430S */ \
	VARIANT(0x28bd, 0x0913, 14, 0, XP_PEN, 0xb004, 0x0000, 10160, 7620, 20320, 15240, 8191, 0) \
	/* XP-Pen Star G640 */ \
	MODEL(0x28bd, 0x0914, 12, 0, XP_PEN, 0xb004, 0x0000, 16000, 10000, 15999, 9999, 8191, 0) \
	/* XP-Pen Star G640 */ \
	VARIANT(0x28bd, 0x0914, 14, 0, XP_PEN, 0xb004, 0x0000, 16000, 10000, 32000, 20000, 8191, 0) \
	/* XP-Pen Star G960S */ \
	MODEL(0x28bd, 0x0917, 12, 0, XP_PEN, 0xb004, 0x0000, 22880, 15260, 22860, 15240, 8191, 4) \
	/* XP-Pen Star G960S Plus */ \
	MODEL(0x28bd, 0x0918, 12, 0, XP_PEN, 0xb004, 0x0000, 22860, 15240, 22860, 15240, 8191, 4) \
	/* XP-Pen Artist 15.6 */ \
	MODEL(0x28bd, 0x091a, 10, 0, XP_PEN, 0xb004, 0x0000, 34419, 19461, 34419, 19461, 8191, 6) \
	/* XP-Pen Artist 22R Pro */ \
	MODEL(0x28bd, 0x091b, 10, 0, XP_PEN, 0xb004, 0x0000, 47664, 26778, 47664, 26778, 8191, 20) \
	/* XP-Pen Artist 12 Pro */ \
	MODEL(0x28bd, 0x091f, 12, 0, XP_PEN, 0xb004, 0x0000, 25634, 14415, 25634, 14415, 8191, 8) \
	/* XP-Pen Star G960 */ \
	MODEL(0x28bd, 0x0920, 10, 0, XP_PEN, 0xb004, 0x0000, 22352, 13970, 22352, 13970, 8191, 4) \
	/* UGEE M708 V2 */ \
	MODEL(0x28bd, 0x0924, 10, 0, XP_PEN, 0xb004, 0x0000, 25400, 15240, 50800, 30480, 8191, 8) \
	/* UGEE M708 V2 */ \
	VARIANT(0x28bd, 0x0924, 12, 10, XP_PEN, 0xb004, 0x0000, 25400, 15240, 50800, 30480, 8191, 8) \
	/* UGEE M708 V3 */ \
	VARIANT(0x28bd, 0x0924, 12, 20, XP_PEN, 0xb004, 0x0000, 25400, 15240, 50800, 30480, 16383, 8) \
	/* XP-Pen Deco mini7 */ \
	MODEL(0x28bd, 0x0928, 12, 0, XP_PEN, 0xb004, 0x0000, 17780, 11110, 35560, 22219, 8191, 8) \
	/* XP-Pen Deco mini4 */ \
	MODEL(0x28bd, 0x0929, 12, 0, XP_PEN, 0xb004, 0x0000, 10160, 7620, 20320, 15240, 8191, 6) \
	/* XP-Pen Artist 13.3 Pro */ \
	MODEL(0x28bd, 0x092b, 12, 0, XP_PEN, 0xb004, 0x0000, 29362, 16510, 29362, 16510, 8191, 8) \
	/* XP-Pen Innovator 16 */ \
	MODEL(0x28bd, 0x092c, 12, 0, XP_PEN, 0xb104, 0xb004, 34392, 19355, 68783, 38709, 8191, 8) \
	/* XP-Pen Artist 24 Pro */ \
	MODEL(0x28bd, 0x092d, 12, 0, XP_PEN, 0xb004, 0x0000, 52685, 29635, 105370, 59270, 8191, 20) \
	/* XP-Pen Artist Pro 16TP */ \
	MODEL(0x28bd, 0x092e, 12, 0, XP_PEN, 0xb004, 0x0000, 34562, 19439, 69123, 38877, 8191, 0) \
	/* XP-Pen Artist 22 (2nd Gen) */ \
	MODEL(0x28bd, 0x092f, 10, 0, XP_PEN, 0xb004, 0x0000, 47664, 26778, 47664, 26778, 8191, 0) \
	/* XP-Pen Deco Fun XS (CT430) */ \
	MODEL(0x28bd, 0x0930, 12, 0, XP_PEN, 0xb004, 0x0000, 12192, 7620, 24384, 15240, 8191, 0) \
	/* XP-Pen Deco Fun S (CT640) */ \
	MODEL(0x28bd, 0x0931, 12, 0, XP_PEN, 0xb004, 0x0000, 16000, 10160, 32000, 20320, 8191, 0) \
	/* XP-Pen Deco Fun L (CT1060) */ \
	MODEL(0x28bd, 0x0932, 12, 0, XP_PEN, 0xb004, 0x0000, 25451, 15931, 50901, 31861, 8191, 0) \
	/* XP-Pen Deco M */ \
	MODEL(0x28bd, 0x0936, 12, 0, OFFSET_PRESSURE, 0xb004, 0x0000, 20320, 12700, 40640, 25400, 8191, 8) \
	/* UGEE S640 */ \
	MODEL(0x28bd, 0x0937, 12, 0, XP_PEN, 0xb004, 0x0000, 15999, 9997, 31998, 19994, 8191, 10) \
	/* UGEE S1060 */ \
	MODEL(0x28bd, 0x0938, 12, 0, XP_PEN, 0xb004, 0x0000, 25400, 16000, 50800, 32000, 8191, 12) \
	/* XP-Pen Artist 24 */ \
	MODEL(0x28bd, 0x093a, 12, 0, XP_PEN, 0xb004, 0x0000, 52685, 29635, 105370, 59270, 8191, 0) \
	/* UGEE U1200 */ \
	MODEL(0x28bd, 0x093b, 12, 0, XP_PEN, 0xb004, 0x0000, 26322, 14806, 52644, 29611, 8191, 0) \
	/* UGEE U1600 */ \
	MODEL(0x28bd, 0x093c, 12, 0, XP_PEN, 0xb004, 0x0000, 34414, 19357, 68828, 38714, 8191, 0) \
	/* XP-Pen Deco Pro MW Gen2 */ \
	MODEL(0x28bd, 0x0942, 14, 0, GEN2, 0xb004, 0x0000, 22901, 14300, 45801, 28600, 16383, 0) \
	/* XP-Pen Deco Pro LW Gen2 */ \
	MODEL(0x28bd, 0x0943, 14, 0, GEN2, 0xb004, 0x0000, 27899, 17399, 55798, 34798, 16383, 0) \
	/* XP-Pen Deco Pro XLW Gen2 */ \
	MODEL(0x28bd, 0x0944, 14, 0, GEN2, 0xb004, 0x0000, 38100, 22901, 76200, 45801, 16383, 0) \
	/* XP-Pen Deco 01 V3 */ \
	MODEL(0x28bd, 0x0947, 12, 10, XP_PEN, 0xb004, 0x0000, 25400, 15875, 50800, 31750, 16383, 8) \
	/* XP-Pen Deco 01 V3 */ \
	VARIANT(0x28bd, 0x0947, 12, 14, XP_PEN, 0xb004, 0x0000, 25598, 15913, 51196, 31826, 16383, 8) \
	/* XP-Pen Deco mini7 V2 */ \
	MODEL(0x28bd, 0x0948, 12, 0, XP_PEN, 0xb004, 0x0000, 17798, 11110, 35595, 22219, 16383, 8) \
	/* XP-Pen Artist 12 (2nd Gen) */ \
	MODEL(0x28bd, 0x094a, 12, 0, OFFSET_PRESSURE, 0xb004, 0x0000, 26319, 14808, 52638, 29616, 8191, 8) \
	/* XP-Pen Artist 16 Pro */ \
	MODEL(0x28bd, 0x094b, 12, 0, XP_PEN, 0xb004, 0x0000, 34107, 19180, 68214, 38359, 8191, 8) \
	/* XP-Pen Artist 16 (2nd Gen) */ \
	MODEL(0x28bd, 0x094c, 12, 0, OFFSET_PRESSURE, 0xb004, 0x0000, 34099, 19181, 68198, 38362, 8191, 10) \
	/* XP-Pen Artist 10 (2nd Gen) */ \
	MODEL(0x28bd, 0x094d, 12, 0, OFFSET_PRESSURE, 0xb004, 0x0000, 22451, 12670, 44902, 25339, 8191, 6) \
	/* XP-Pen Artist 13 (2nd Gen) */ \
	MODEL(0x28bd, 0x094e, 12, 0, OFFSET_PRESSURE, 0xb004, 0x0000, 29376, 16524, 58760, 33040, 8191, 9) \
	/* XP-Pen Artist Pro 14 (Gen2) */ \
	MODEL(0x28bd, 0x095a, 14, 0, GEN2, 0xb004, 0x0000, 30160, 18849, 60320, 37698, 16383, 0) \
	/* XP-Pen Artist Pro 16 (Gen2) */ \
	MODEL(0x28bd, 0x095b, 14, 0, GEN2, 0xb004, 0x0000, 34468, 21542, 68920, 43078, 16383, 0) \
	/* XP-Pen Artist Pro 24 (Gen2) */ \
	MODEL(0x28bd, 0x095c, 14, 0, GEN2, 0xb004, 0x0000, 52608, 29591, 105216, 59182, 16383, 0) \
	/* XP-Pen Artist Pro 19 (Gen2) */ \
	MODEL(0x28bd, 0x096a, 14, 0, GEN2, 0xb004, 0x0000, 40897, 23005, 81793, 46009, 16383, 0) \
	/* XP-Pen Artist Pro 22 (Gen2) */ \
	MODEL(0x28bd, 0x096b, 14, 0, GEN2, 0xb004, 0x0000, 47607, 26779, 95213, 53557, 16383, 0) \
	/* XP-Pen Artist 15.6 Pro V2 */ \
	MODEL(0x28bd, 0x096f, 14, 0, GEN2, 0xb004, 0x0000, 34099, 19181, 68199, 38399, 16383, 8) \
	/* UGEE M908 */ \
	MODEL(0x28bd, 0x2902, 12, 0, XP_PEN, 0xb004, 0x0000, 25400, 15875, 50800, 31750, 16383, 8) \
	/* UGEE M808 */ \
	MODEL(0x28bd, 0x2903, 12, 0, XP_PEN, 0xb004, 0x0000, 25400, 15875, 50800, 31750, 8191, 8) \
	/* XP-Pen Deco 640 (IT640) */ \
	MODEL(0x28bd, 0x2904, 12, 0, XP_PEN, 0xb004, 0x0000, 15999, 8999, 31998, 17998, 16383, 8) \
	/* UGEE UE16 */ \
	MODEL(0x28bd, 0x290c, 12, 0, XP_PEN, 0xb004, 0x0000, 34100, 19200, 68199, 38399, 16383, 9)
/* clang-format on */

#endif /* UGEE_MODELS_H */
