/* SPDX-License-Identifier: Apache-2.0
 *
 * CPU time and memory of this process. */
#include "usage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double usage_cpu_seconds(void) {
  struct rusage usage = {0};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/* ru_maxrss counts from before exec: a small run would inherit the size of whoever started it. So
 * Linux is asked for that of the program itself. */
gint64 usage_peak_memory(void) {
  g_autofree char *status = NULL;
  const char *line = NULL;
  if (g_file_get_contents("/proc/self/status", &status, NULL, NULL))
    line = strstr(status, "\nVmHWM:");
  gint64 kilobytes = line ? g_ascii_strtoll(line + strlen("\nVmHWM:"), NULL, 10) : 0;
  struct rusage usage = {0};
  if (kilobytes <= 0 && getrusage(RUSAGE_SELF, &usage) == 0) kilobytes = usage.ru_maxrss;
  return kilobytes * 1024;
}
