// SPDX-License-Identifier: MIT
/* Runs a fuzz program on the files of directories: without clang, as a plain test. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static int run_file(const char *path)
{
	FILE *f = fopen(path, "re");
	uint8_t *data = malloc(1 << 20);
	size_t size;

	if (!f || !data) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, 1 << 20, f);
	fclose(f);
	/* The exact size, so that a sanitizer sees the first byte behind. */
	data = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int run_directory(const char *dir, size_t *n)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	int failed = 0;

	if (!d) {
		perror(dir);
		return 1;
	}
	while ((de = readdir(d))) {
		char path[4096];

		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		/* Seen when one of them crashes. */
		printf("%s\n", path);
		fflush(stdout);
		failed |= run_file(path);
		++*n;
	}
	closedir(d);
	return failed;
}

int main(int argc, char **argv)
{
	size_t n = 0;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_directory(argv[i], &n);
	if (!n)
		fprintf(stderr, "%s: no file\n", argv[0]);
	return failed || !n;
}
