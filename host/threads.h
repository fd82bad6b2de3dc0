/* SPDX-License-Identifier: Apache-2.0
 *
 * How threads wait for each other. */
#ifndef HOST_THREADS_H
#define HOST_THREADS_H

/* Starts the program anew, once, with threads that leave their core soon when they have to wait;
 * returns where that is done, or where the user has said how they are to wait (OMP_WAIT_POLICY,
 * GOMP_SPINCOUNT). First thing in main: nothing is open. */
void threads_settle(char **argv);

#endif
