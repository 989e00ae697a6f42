/*
 * Plays Wiegand pulses on gpio-sim's lines, to the microsecond: opens each line's `pull` file and writes to it when the
 * time has come. Reads the schedule from standard input, one edge a line: nanoseconds from the beginning, the number of
 * the file in argv, 0 for low or 1 for high. Writes the moment of the beginning and of the last falling edge, in
 * nanoseconds of CLOCK_MONOTONIC. Long waits sleep, so that whoever reads the lines has the processor; the last
 * SPIN_NS before an edge are spun away.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000000
#define SPIN_NS 20000L
#define LEAD_NS 20000000LL

struct edge {
	long long at;
	int line, level;
};

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void wait_until(long long at)
{
	long long early = at - SPIN_NS;
	struct timespec t = { early / 1000000000LL, early % 1000000000LL };
	if (early > now())
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	while (now() < at)
		;
}

int main(int argc, char **argv)
{
	static struct edge edges[MOST];
	int files[64], count = 0;
	struct sched_param priority = { .sched_priority = 50 };
	long long begin, fell = 0, late = 0;

	for (int i = 1; i < argc && i < 64; i++) {
		files[i - 1] = open(argv[i], O_WRONLY);
		if (files[i - 1] < 0) {
			perror(argv[i]);
			return 1;
		}
	}
	while (count < MOST && scanf("%lld %d %d", &edges[count].at, &edges[count].line, &edges[count].level) == 3)
		count++;
	if (sched_setscheduler(0, SCHED_FIFO, &priority)) {
		perror("sched_setscheduler");
		return 1;
	}
	begin = now() + LEAD_NS;
	for (int i = 0; i < count; i++) {
		const char *pull = edges[i].level ? "pull-up" : "pull-down";
		wait_until(begin + edges[i].at);
		long long at = now();
		if (at - begin - edges[i].at > late)
			late = at - begin - edges[i].at;
		if (pwrite(files[edges[i].line], pull, strlen(pull), 0) < 0) {
			perror("pull");
			return 1;
		}
		if (!edges[i].level)
			fell = at;
	}
	printf("{\"begin\": %lld, \"fell\": %lld, \"late\": %lld}\n", begin, fell, late);
	return 0;
}
