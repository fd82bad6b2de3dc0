/* SPDX-License-Identifier: Apache-2.0
 *
 * Types of HDF5 and element types. Of the endless number types HDF5 can describe only whole-byte
 * integers and the IEEE formats are taken: the conversion of freely laid out bits is a place
 * where damaged files have crashed the library.                                                 */
#include "store-internal.h"
#include <math.h>
#include <string.h>

/* IEEE binary16, which HDF5 1.10 has no name for. */
static hid_t half_type(H5T_order_t order) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);

  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  H5Tset_order(type, order);
  return type;
}

static AbDtype float_dtype(hid_t type) {
  AUTO_HID half_le = half_type(H5T_ORDER_LE);
  AUTO_HID half_be = half_type(H5T_ORDER_BE);

  if (H5Tequal(type, half_le) > 0 || H5Tequal(type, half_be) > 0) return AB_F32;
  if (H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, H5T_IEEE_F32BE) > 0) return AB_F32;
  if (H5Tequal(type, H5T_IEEE_F64LE) > 0 || H5Tequal(type, H5T_IEEE_F64BE) > 0) return AB_F64;
  if (H5Tequal(type, H5T_NATIVE_LDOUBLE) > 0) return AB_F64;
  return 0;
}

static AbDtype integer_dtype(hid_t type) {
  gsize size = H5Tget_size(type);
  H5T_order_t order = H5Tget_order(type);
  gboolean is_signed = H5Tget_sign(type) == H5T_SGN_2;

  if (H5Tget_precision(type) != 8 * size || H5Tget_offset(type) != 0) return 0;
  if (size > 1 && order != H5T_ORDER_LE && order != H5T_ORDER_BE) return 0;
  switch (size) {
  case 1: return is_signed ? AB_I32 : AB_U8;
  case 2: return AB_I32;
  case 4: return is_signed ? AB_I32 : AB_I64;
  case 8: return AB_I64;
  default: return 0;
  }
}

/* The enum FALSE = 0, TRUE = 1 of h5py and PyTables. */
static gboolean enum_is_bool(hid_t type) {
  static const char *const names[] = {"FALSE", "TRUE"};

  if (H5Tget_nmembers(type) != 2 || H5Tget_size(type) != 1) return FALSE;
  for (unsigned i = 0; i < 2; i++) {
    gint8 value = -1;
    char *name = H5Tget_member_name(type, i);
    gboolean known = name != NULL && H5Tget_member_value(type, i, &value) >= 0 &&
                     (value == 0 || value == 1) && strcmp(name, names[value]) == 0;

    if (name != NULL) H5free_memory(name);
    if (!known) return FALSE;
  }
  return TRUE;
}

StoreKind store_type_kind(hid_t type, AbDtype *dtype) {
  AbDtype found = 0;
  StoreKind kind = STORE_OTHER;

  switch (H5Tget_class(type)) {
  case H5T_INTEGER: found = integer_dtype(type); break;
  case H5T_FLOAT: found = float_dtype(type); break;
  case H5T_ENUM:
    if (enum_is_bool(type)) found = AB_BOOL;
    break;
  case H5T_STRING: kind = STORE_TEXT; break;
  default: break;
  }
  if (found != 0) kind = found == AB_BOOL ? STORE_BOOL : STORE_NUMBER;
  if (dtype != NULL) *dtype = found;
  return kind;
}

const char *store_type_describe(hid_t type) {
  switch (H5Tget_class(type)) {
  case H5T_INTEGER: return "an integer of an unusual layout";
  case H5T_FLOAT: return "a real number of an unusual layout";
  case H5T_STRING: return "a text";
  case H5T_BITFIELD: return "a bit field";
  case H5T_OPAQUE: return "opaque bytes";
  case H5T_COMPOUND: return "a compound";
  case H5T_REFERENCE: return "a reference";
  case H5T_ENUM: return "an enumeration";
  case H5T_VLEN: return "a list of varying length";
  case H5T_ARRAY: return "an array type";
  case H5T_TIME: return "a time";
  default: return "of an unknown type";
  }
}

hid_t store_type_file(AbDtype dtype) {
  hid_t type;
  gint8 no = 0, yes = 1;

  switch (dtype) {
  case AB_F32: return H5Tcopy(H5T_IEEE_F32LE);
  case AB_F64: return H5Tcopy(H5T_IEEE_F64LE);
  case AB_U8: return H5Tcopy(H5T_STD_U8LE);
  case AB_I32: return H5Tcopy(H5T_STD_I32LE);
  case AB_I64: return H5Tcopy(H5T_STD_I64LE);
  case AB_BOOL:
    type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, "FALSE", &no);
    H5Tenum_insert(type, "TRUE", &yes);
    return type;
  default: return H5I_INVALID_HID;
  }
}

hid_t store_type_memory(AbDtype dtype) {
  switch (dtype) {
  case AB_F32: return H5Tcopy(H5T_NATIVE_FLOAT);
  case AB_F64: return H5Tcopy(H5T_NATIVE_DOUBLE);
  case AB_U8: return H5Tcopy(H5T_NATIVE_UINT8);
  case AB_I32: return H5Tcopy(H5T_NATIVE_INT32);
  case AB_I64: return H5Tcopy(H5T_NATIVE_INT64);
  case AB_BOOL: return H5Tcopy(H5T_NATIVE_UINT8);
  default: return H5I_INVALID_HID;
  }
}

hid_t store_type_text(gsize length) {
  hid_t type = H5Tcopy(H5T_C_S1);

  /* Padded with zeros, not terminated by one; HDF5 knows no length 0. */
  H5Tset_size(type, MAX(length, 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

/* HDF5 would clamp what does not fit and say nothing. */
static H5T_conv_ret_t refuse_misfit(H5T_conv_except_t kind, hid_t source, hid_t destination,
                                    void *from, void *to, void *data) {
  (void)to;
  (void)data;
  if (kind == H5T_CONV_EXCEPT_PRECISION) return H5T_CONV_UNHANDLED; /* rounding is no misfit */
  if (H5Tget_class(destination) != H5T_FLOAT) return H5T_CONV_ABORT;
  if (kind != H5T_CONV_EXCEPT_RANGE_HI && kind != H5T_CONV_EXCEPT_RANGE_LOW)
    return H5T_CONV_UNHANDLED; /* infinities and NaN stay what they are */
  /* Of a double in native order, HDF5 reports infinity as out of range, too. */
  if (H5Tequal(source, H5T_NATIVE_DOUBLE) > 0 && isinf(*(const double *)from))
    return H5T_CONV_UNHANDLED;
  if (H5Tequal(source, H5T_NATIVE_LDOUBLE) > 0 && isinf(*(const long double *)from))
    return H5T_CONV_UNHANDLED;
  return H5T_CONV_ABORT;
}

hid_t store_strict_transfer(void) {
  hid_t list = H5Pcreate(H5P_DATASET_XFER);

  if (list >= 0) H5Pset_type_conv_cb(list, refuse_misfit, NULL);
  return list;
}
