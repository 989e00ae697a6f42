/* A disk whose flushes take long and go one after another, for whoever is started with this preloaded.
 * SLOW_FLUSH_LOCK names the file that stands for the disk, SLOW_FLUSH_US how long a flush takes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static int flush(int fd, const char *name)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *path = getenv("SLOW_FLUSH_LOCK"), *us = getenv("SLOW_FLUSH_US");
    int disk = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1, answer;
    if (disk >= 0)
        flock(disk, LOCK_EX);
    if (us)
        usleep((useconds_t)atoi(us));
    answer = real(fd);
    if (disk >= 0)
        close(disk);
    return answer;
}

int fsync(int fd) { return flush(fd, "fsync"); }
int fdatasync(int fd) { return flush(fd, "fdatasync"); }
