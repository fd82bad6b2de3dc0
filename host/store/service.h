/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as the SDK sees it: what ab_store_open and its kin speak to (ab_set_store).          */
#ifndef HOST_STORE_SERVICE_H
#define HOST_STORE_SERVICE_H

#include <absdk/host.h>

/* Static storage; any thread. Errors are those of store.h; a dataset that is not of numbers is
 * AB_DATA.                                                                                      */
const AbStoreService *store_service(void);

#endif
