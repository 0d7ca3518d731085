/*
 * clock.c
 *		A clock that goes on from another moment, for a server and its clients.
 *
 * Loaded before the C library (LD_PRELOAD).  The seconds to add stand in the environment, as CEC_CLOCK: read once, when
 * a process starts.  A test that moves the clock of what runs writes further seconds into the file that CEC_CLOCK_FILE
 * names, by rename: read whenever the time is asked.  CLOCK_MONOTONIC stays as it is, and so do the times of files.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L

static int (*ask)(clockid_t clock, struct timespec *now);
static long set_ns = 0;

/* A copy: a server overwrites the environment that it was started with. */
static char file_name[PATH_MAX] = "";

/* Seconds as text, as nanoseconds.  A clock that cannot be read is no clock: ends the process. */
static long
read_seconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || (*end != '\0' && *end != '\n'))
	{
		fprintf(stderr, "clock.c: \"%s\" is no number of seconds\n", text);
		abort();
	}
	return (long) (seconds * SECOND);
}

/* Called by the loader, and by the first call if that comes before. */
__attribute__((constructor)) static void
start_clock(void)
{
	const char *seconds = getenv("CEC_CLOCK");
	const char *name = getenv("CEC_CLOCK_FILE");

	ask = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	if (ask == NULL)
		abort();
	if (seconds != NULL)
		set_ns = read_seconds(seconds);
	if (name != NULL)
		snprintf(file_name, sizeof(file_name), "%s", name);
}

/* What a test has moved the clock by. */
static long
moved_ns(void)
{
	char text[32] = "";
	int file;

	if (file_name[0] == '\0')
		return 0;
	file = open(file_name, O_RDONLY);
	if (file < 0 || read(file, text, sizeof(text) - 1) < 0)
	{
		perror(file_name);
		abort();
	}
	close(file);
	return read_seconds(text);
}

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	int result;

	if (ask == NULL)
		start_clock();
	result = ask(clock, now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
	{
		long ns = now->tv_nsec + set_ns + moved_ns();

		now->tv_nsec = (ns % SECOND + SECOND) % SECOND;
		now->tv_sec += (ns - now->tv_nsec) / SECOND;
	}
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone __attribute__((unused)))
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	now->tv_sec = at.tv_sec;
	now->tv_usec = at.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *result)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (result != NULL)
		*result = now.tv_sec;
	return now.tv_sec;
}
