/* SPDX-License-Identifier: Apache-2.0
 *
 * A random matrix with orthonormal columns: the Q of the QR decomposition of a normal matrix, with
 * the signs of R's diagonal taken into it, which makes it uniform over all such matrices (Mezzadri,
 * "How to generate random matrices from the classical compact groups", 2007).
 *
 * By reflections H_k = 1 - tau_k v_k v_k' (Householder 1958), k = 0, 1, ...: H_{n-1} ... H_0 A = R,
 * so that Q = H_0 ... H_{n-1} over the first columns of 1. The matrix is held by rows: a reflection
 * is two passes over them, s = tau v' A and A -= v s. */
#include "initialize.h"
#include <math.h>

/* A := (1 - tau v v') A over rows k.. and columns from.., v from row k on with stride cols. */
static void reflect(int64_t rows, int64_t cols, double *A, int64_t k, int64_t from, const double *v,
                    double tau, double *s) {
  for (int64_t j = from; j < cols; j++) s[j] = 0;
  for (int64_t i = k; i < rows; i++)
    for (int64_t j = from; j < cols; j++) s[j] += v[i] * A[i * cols + j];
  for (int64_t i = k; i < rows; i++)
    for (int64_t j = from; j < cols; j++) A[i * cols + j] -= tau * v[i] * s[j];
}

/* Column k below the diagonal becomes v; returns tau, and the sign of R's element in *sign. */
static double reflector(int64_t rows, int64_t cols, const double *A, int64_t k, double *v,
                        double *sign) {
  double norm = 0;
  for (int64_t i = k; i < rows; i++) {
    v[i] = A[i * cols + k];
    norm += v[i] * v[i];
  }
  norm = sqrt(norm);
  double head = v[k];
  *sign = head > 0 ? -1 : 1; /* R's element is -sign(head) norm: nothing cancels */
  if (norm == 0) return 0;
  v[k] = head > 0 ? head + norm : head - norm;
  return 1 / (norm * fabs(v[k])); /* 2 / v'v */
}

void ab_orthonormalize(int64_t rows, int64_t cols, double *q, double *work) {
  double *v = work, *s = work + rows;
  /* The vectors stay in the columns of q, but for their heads, which the diagonal of R would need:
   * v is scaled so that its head is 1. */
  double *tau = s + cols, *sign = tau + cols;
  for (int64_t k = 0; k < cols; k++) {
    tau[k] = reflector(rows, cols, q, k, v, &sign[k]);
    reflect(rows, cols, q, k, k + 1, v, tau[k], s);
    double head = v[k];
    tau[k] *= head * head;
    for (int64_t i = k + 1; i < rows; i++) q[i * cols + k] = head != 0 ? v[i] / head : 0;
  }
  for (int64_t k = cols - 1; k >= 0; k--) {
    v[k] = 1;
    for (int64_t i = k + 1; i < rows; i++) v[i] = q[i * cols + k];
    for (int64_t j = k; j < cols; j++) q[k * cols + j] = j == k; /* row and column k of 1 */
    for (int64_t i = k + 1; i < rows; i++) q[i * cols + k] = 0;
    reflect(rows, cols, q, k, k, v, tau[k], s);
  }
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < cols; k++) q[i * cols + k] *= sign[k];
}
