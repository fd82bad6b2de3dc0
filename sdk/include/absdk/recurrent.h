/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers over whole sequences: one layer in one direction a call. layers.h stacks them.
 *
 * Shapes: x [t, n, in], time first (of batch-first data: ab_transpose(x, 0, 1)); W [in, G H] and
 * U [H, G H] with G blocks of H columns in the order of the gates; first states [n, H], or AB_NONE
 * for zeros. All real, of one type. t, n, in and H may be 0.
 *
 * `lengths` (i64 [n], each 0 to t; or AB_NONE) says how many steps of a row there are. Beyond them
 * the state stays as it is, the outputs are 0, x is not looked at, and nothing has a gradient.
 *
 * `reverse` goes through each row from its last step to its first; outputs are in the order of time
 * all the same.
 *
 * Gates and their order are those of PyTorch, whose weight_ih and weight_hh are W' and U'.
 * Gradients have no derivative of their own: ab_gradients cannot be `differentiable` through these.
 * On the cpu device the bits are the same on any number of threads as far as those of ab_matmul
 * are, which makes x W and the gradient of x; the rest does not depend on it. */
#ifndef ABSDK_RECURRENT_H
#define ABSDK_RECURRENT_H

#include "elements.h"

AB_BEGIN_DECLS

/* All NULL after an error. */
typedef struct {
  AbTensor *outputs; /* [t, n, H]: h after each step */
  AbTensor *h;       /* [n, H]: the last state (reversed: of the first step) */
  AbTensor *c;       /* the same of an LSTM's cells; else AB_NONE */
} AbRecurrence;

/* Elman 1990, "Finding structure in time": h' = f(x W + h U + b), f AB_TANH or AB_RELU; b [H] or
 * AB_NONE. Of relu the gradient at 0 is 0.                                                       */
AB_EXPORT AbRecurrence ab_elman(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *h0,
                                AbTensor *lengths, AbActivation f, bool reverse);

/* Hochreiter & Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers,
 * Schmidhuber & Cummins 2000 and, where p is given, the peepholes of Gers & Schmidhuber 2000:
 *     [i f g o] = x W + h U + b                                    b [4 H] or AB_NONE
 *     c' = sigmoid(f + p_f c) c + sigmoid(i + p_i c) tanh(g)        p [3, H]: p_i, p_f, p_o
 *     h' = sigmoid(o + p_o c') tanh(c')                                                          */
AB_EXPORT AbRecurrence ab_lstm(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *p,
                               AbTensor *h0, AbTensor *c0, AbTensor *lengths, bool reverse);

/* Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", with the reset gate
 * after the product, as PyTorch and cuDNN have it:
 *     [r z n] = x W + b, [hr hz hn] = h U + [0 0 d]                b [3 H], d [H]; or AB_NONE
 *     n' = tanh(n + sigmoid(r + hr) hn)
 *     h' = (1 - sigmoid(z + hz)) n' + sigmoid(z + hz) h
 * PyTorch's bias_ih and bias_hh are summed in b, but for the last block of bias_hh, which is d.  */
AB_EXPORT AbRecurrence ab_gru(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *d,
                              AbTensor *h0, AbTensor *lengths, bool reverse);

/* One step, for a decoder that is fed its own output: x [n, in] -> outputs [n, H], which is h. */
AB_EXPORT AbRecurrence ab_elman_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b,
                                     AbTensor *h0, AbActivation f);
AB_EXPORT AbRecurrence ab_lstm_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *p,
                                    AbTensor *h0, AbTensor *c0);
AB_EXPORT AbRecurrence ab_gru_cell(AbTensor *x, AbTensor *W, AbTensor *U, AbTensor *b, AbTensor *d,
                                   AbTensor *h0);

AB_END_DECLS

#endif
