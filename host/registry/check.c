/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor and its components. The order matters: nothing is read before what says that it
 * is there.                                                                                     */
#include "check.h"

#include <string.h>

gboolean check_text(const char *text) {
  return text && g_utf8_validate(text, -1, NULL);
}

static gboolean is_filled(const char *text) {
  return check_text(text) && *text;
}

/* Lower case, digits, hyphens, as names stand in manifests, paths and datasets. */
static gboolean is_name(const char *name) {
  gsize length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return length > 0 && length <= 64 && !name[length];
}

static char *check_versions(const AbPlugin *plugin, guint64 size) {
  if (size < sizeof plugin->magic + sizeof plugin->struct_size || plugin->magic != AB_PLUGIN_MAGIC)
    return g_strdup("its ab_plugin is no plugin's descriptor; make it with AB_PLUGIN(...)");
  if (plugin->struct_size < sizeof(AbPlugin) || plugin->struct_size > size)
    return g_strdup_printf("its descriptor has %u bytes, where this program reads %zu; rebuild it",
                           plugin->struct_size, sizeof(AbPlugin));
  if (plugin->abi_major != AB_ABI_MAJOR)
    return g_strdup_printf("it was built for version %u.%u of the plugin interface, this program "
                           "has %d.%d; rebuild it",
                           plugin->abi_major, plugin->abi_minor, AB_ABI_MAJOR, AB_ABI_MINOR);
  /* below 1.0 the interface may change without its number */
  const char *theirs = plugin->fingerprint ? plugin->fingerprint : "none";
  if (AB_ABI_MAJOR == 0 && strcmp(theirs, ab_fingerprint()) != 0)
    return g_strdup_printf("it was built with other headers of the SDK (%.16s, this program has "
                           "%.16s); rebuild it",
                           theirs, ab_fingerprint());
  return NULL;
}

static char *check_component(const AbComponent *component) {
  if (!check_text(component->doc) || !check_text(component->citation))
    return g_strdup("doc or citation is no text; use \"\" where there is none");
  if (component->instance_size < sizeof(AbInstance) ||
      component->instance_size > CHECK_INSTANCE_BYTES)
    return g_strdup_printf("instance_size is %" G_GUINT64_FORMAT ", it must be %zu to %d",
                           component->instance_size, sizeof(AbInstance), CHECK_INSTANCE_BYTES);
  char *what = g_strdup_printf("%s %s", ab_kind_name(component->kind), component->name);
  CheckTable table = {component->params, component->param_count, component->param_stride,
                      sizeof(AbInstance), component->instance_size};
  char *why = check_params(&table, 0, what);
  if (!why) why = check_slots(component);
  if (!why) why = check_vtable(component);
  g_free(what);
  return why;
}

/* What comes before a component can be called by its name. */
static char *check_named(const AbComponent *component, guint index) {
  if (!component) return g_strdup_printf("component %u is NULL", index);
  if (component->struct_size < sizeof(AbComponent))
    return g_strdup_printf("component %u: struct_size is %u, where this program reads %zu; set it "
                           "to sizeof(AbComponent)",
                           index, component->struct_size, sizeof(AbComponent));
  if (!check_text(component->name) || !is_name(component->name))
    return g_strdup_printf("component %u: its name must be 1 to 64 lower-case letters, digits and "
                           "hyphens",
                           index);
  if (!ab_kind_name(component->kind))
    return g_strdup_printf("component %s: %d is no kind", component->name, component->kind);
  char *why = check_component(component);
  if (!why) return NULL;
  char *named = g_strdup_printf("%s %s: %s", ab_kind_name(component->kind), component->name, why);
  g_free(why);
  return named;
}

/* Two of one kind and name in one file: neither could be meant. Earlier ones were checked. */
static char *check_unique(const AbPlugin *plugin, guint index) {
  const AbComponent *last = plugin->components[index];
  for (guint i = 0; i < index; i++) {
    const AbComponent *other = plugin->components[i];
    if (other->kind == last->kind && strcmp(other->name, last->name) == 0)
      return g_strdup_printf("%s %s is in it twice", ab_kind_name(last->kind), last->name);
  }
  return NULL;
}

char *check_plugin(const AbPlugin *plugin, guint64 size) {
  char *why = check_versions(plugin, size);
  if (why) return why;
  if (!is_filled(plugin->id) || !is_filled(plugin->version) || !is_filled(plugin->licence))
    return g_strdup("its id, version or licence is empty; AB_PLUGIN(...) takes all three");
  if (!plugin->components || !plugin->component_count || plugin->component_count > CHECK_COUNT)
    return g_strdup_printf("it offers %u components, where 1 to %d are allowed",
                           plugin->components ? plugin->component_count : 0, CHECK_COUNT);
  for (guint i = 0; i < plugin->component_count && !why; i++) {
    why = check_named(plugin->components[i], i);
    if (!why) why = check_unique(plugin, i);
  }
  return why;
}
