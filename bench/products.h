/* SPDX-License-Identifier: Apache-2.0
 *
 * The wall of a workload: the time that its matrix products take by themselves. */
#ifndef BENCH_PRODUCTS_H
#define BENCH_PRODUCTS_H

#include "lab.h"

/* Seconds for the products of one step, each done a few times by oneDNN and by OpenBLAS and counted
 * at the faster; or for its multiply-adds at the rate of a product of 1024 by 1024 by 1024. */
double products_time(const Workload *workload);

#endif
