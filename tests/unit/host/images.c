/* SPDX-License-Identifier: Apache-2.0
 *
 * Mosaics of images: every pixel, as libpng's reader sees it. */
#include "../../../host/images/images.h"

#include <math.h>
#include <png.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct {
  guint width, height, channels;
  guint8 *pixels;
} Picture;

static void picture_clear(Picture *self) {
  g_free(self->pixels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Picture, picture_clear)

static Picture decode(GBytes *png) {
  gsize size;
  const guint8 *bytes = g_bytes_get_data(png, &size);
  png_image image = {.version = PNG_IMAGE_VERSION};
  g_assert_true(png_image_begin_read_from_memory(&image, bytes, size));
  g_assert_true(image.format == PNG_FORMAT_GRAY || image.format == PNG_FORMAT_RGB);
  Picture picture = {image.width, image.height, image.format == PNG_FORMAT_RGB ? 3 : 1, NULL};
  picture.pixels = g_malloc(PNG_IMAGE_SIZE(image));
  g_assert_true(png_image_finish_read(&image, NULL, picture.pixels, 0, NULL));
  g_bytes_unref(png);
  return picture;
}

static Picture draw(const Images *images, gint64 first, gint64 count, gint64 columns) {
  g_autoptr(GError) error = NULL;
  GBytes *png = images_png(images, first, count, columns, &error);
  g_assert_no_error(error);
  return decode(png);
}

/* Pixels that count: value i is i / 51 / 5, so that its byte is 51 * (i % 6). */
static Images counting(gint64 count, gint64 height, gint64 width, gint64 channels) {
  gint64 values = count * height * width * channels;
  Images images = {count, height, width, channels, g_new(float, (gsize)values)};
  for (gint64 i = 0; i < values; i++) images.pixels[i] = (float)(i % 6) / 5;
  return images;
}

/* ---- pictures -------------------------------------------------------------------------------- */

static void test_single(void) {
  Images images = counting(1, 2, 3, 1);
  g_auto(Picture) picture = draw(&images, 0, 1, 1);
  const guint8 expected[] = {0, 51, 102, 153, 204, 255};
  g_assert_cmpuint(picture.width, ==, 3);
  g_assert_cmpuint(picture.height, ==, 2);
  g_assert_cmpuint(picture.channels, ==, 1);
  g_assert_cmpmem(picture.pixels, 6, expected, 6);
  images_clear(&images);
  g_assert_null(images.pixels);
  g_assert_cmpint(images.count, ==, 0);
}

/* A byte of a mosaic, from where it lies alone. */
static guint8 expected_byte(const Images *images, gint64 first, gint64 count, gint64 columns,
                            gint64 y, gint64 x, gint64 channel) {
  gint64 row = y / (images->height + 1), column = x / (images->width + 1);
  gint64 inner_y = y % (images->height + 1), inner_x = x % (images->width + 1);
  gint64 index = row * columns + column;
  if (inner_y == images->height || inner_x == images->width || index >= count) return 128;
  gint64 pixel = ((first + index) * images->height + inner_y) * images->width + inner_x;
  return (guint8)(51 * ((pixel * images->channels + channel) % 6));
}

static void check_mosaic(gint64 channels, gint64 first, gint64 count, gint64 asked,
                         gint64 columns) {
  Images images = counting(7, 2, 3, channels);
  g_auto(Picture) picture = draw(&images, first, count, asked);
  gint64 rows = (count + columns - 1) / columns;
  g_assert_cmpint(picture.width, ==, columns * 4 - 1);
  g_assert_cmpint(picture.height, ==, rows * 3 - 1);
  g_assert_cmpint(picture.channels, ==, channels);
  for (gint64 y = 0, i = 0; y < picture.height; y++)
    for (gint64 x = 0; x < picture.width; x++)
      for (gint64 c = 0; c < channels; c++, i++)
        g_assert_cmpuint(picture.pixels[i], ==,
                         expected_byte(&images, first, count, columns, y, x, c));
  images_clear(&images);
}

static void test_mosaic(void) {
  for (gint64 channels = 1; channels <= 3; channels += 2) {
    check_mosaic(channels, 0, 7, 3, 3);
    check_mosaic(channels, 2, 5, 2, 2);
    check_mosaic(channels, 6, 1, 4, 1);
    check_mosaic(channels, 0, 4, 100, 4);
    check_mosaic(channels, 0, 4, 0, 2);
    check_mosaic(channels, 1, 5, 0, 3);
  }
}

static void test_range(void) {
  float values[] = {-1, 2, INFINITY, -INFINITY, 0.5f, 1e-9f};
  const guint8 expected[] = {0, 255, 255, 0, 128, 0};
  Images images = {1, 1, 6, 1, values};
  g_auto(Picture) picture = draw(&images, 0, 1, 1);
  g_assert_cmpuint(picture.channels, ==, 1);
  g_assert_cmpmem(picture.pixels, 6, expected, 6);
}

/* Of two images the first has a NaN: its picture has colours, that of the other none. */
static void test_nan(void) {
  float values[] = {0, NAN, 1, 0.2f};
  const guint8 expected[] = {0, 0, 0, 255, 0, 255};
  Images images = {2, 1, 2, 1, values};
  g_auto(Picture) odd = draw(&images, 0, 1, 1);
  g_assert_cmpuint(odd.channels, ==, 3);
  g_assert_cmpmem(odd.pixels, 6, expected, 6);
  g_auto(Picture) plain = draw(&images, 1, 1, 1);
  g_assert_cmpuint(plain.channels, ==, 1);
  g_assert_cmpuint(plain.pixels[1], ==, 51);
  float colour[] = {1, 1, NAN};
  const guint8 magenta[] = {255, 0, 255};
  Images one = {1, 1, 1, 3, colour};
  g_auto(Picture) picture = draw(&one, 0, 1, 1);
  g_assert_cmpmem(picture.pixels, 3, magenta, 3);
}

/* ---- refused --------------------------------------------------------------------------------- */

/* The pixels are not looked at. */
static void refuse(Images images, gint64 first, gint64 count, gint64 columns, AbCode code) {
  g_autoptr(GError) error = NULL;
  g_assert_null(images_png(&images, first, count, columns, &error));
  g_assert_error(error, HOST_ERROR, (gint)code);
}

static void test_refused(void) {
  refuse((Images){3, 2, 2, 1, NULL}, 0, 4, 1, AB_INTERNAL);
  refuse((Images){3, 2, 2, 1, NULL}, 3, 1, 1, AB_INTERNAL);
  refuse((Images){3, 2, 2, 1, NULL}, -1, 1, 1, AB_INTERNAL);
  refuse((Images){3, 2, 2, 1, NULL}, 0, 0, 1, AB_INTERNAL);
  refuse((Images){3, 2, 2, 1, NULL}, 1, G_MAXINT64, 1, AB_INTERNAL);
  refuse((Images){3, 2, 2, 2, NULL}, 0, 1, 1, AB_INTERNAL);
  refuse((Images){3, 0, 2, 1, NULL}, 0, 1, 1, AB_INTERNAL);
  refuse((Images){1, 16385, 1, 1, NULL}, 0, 1, 1, AB_DATA);
  refuse((Images){1, 16384, 16384, 1, NULL}, 0, 1, 1, AB_DATA);
  refuse((Images){1, G_MAXINT64, G_MAXINT64, 3, NULL}, 0, 1, 1, AB_DATA);
  refuse((Images){10000, 2, 2, 1, NULL}, 0, 10000, 1, AB_DATA);
  refuse((Images){10000, 2, 2, 1, NULL}, 0, 10000, 10000, AB_DATA);
  refuse((Images){G_MAXINT64, 2, 2, 1, NULL}, 0, G_MAXINT64, 0, AB_DATA);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/images/single", test_single);
  g_test_add_func("/images/mosaic", test_mosaic);
  g_test_add_func("/images/range", test_range);
  g_test_add_func("/images/nan", test_nan);
  g_test_add_func("/images/refused", test_refused);
  return g_test_run();
}
