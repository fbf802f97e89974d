/* Memory, copies and one matmul through the C interface. Prints "OK" and exits with 0 if everything is right. */
#include "lightning_core.h"

#include <stdio.h>

#define CHECK(call)                                                                                                  \
    do {                                                                                                             \
        lcError_t status = (call);                                                                                   \
        if (status != LC_SUCCESS) {                                                                                  \
            fprintf(stderr, "%s: %s (%s)\n", #call, lcGetErrorString(status), lcGetLastErrorMessage());              \
            return 1;                                                                                                \
        }                                                                                                            \
    } while (0)

int main(void) {
    const float sent[6] = {1, 2, 3, 4, 5, 6};
    float received[6] = {0};
    void *device = NULL;

    CHECK(lcMalloc(&device, sizeof sent));
    CHECK(lcMemcpy(device, sent, sizeof sent, LC_MEMCPY_HOST_TO_DEVICE));
    CHECK(lcMemcpy(received, device, sizeof sent, LC_MEMCPY_DEVICE_TO_HOST));
    CHECK(lcDeviceSynchronize());
    CHECK(lcFree(device));
    for (int i = 0; i < 6; i++) {
        if (received[i] != sent[i]) {
            fprintf(stderr, "element %d came back as %g\n", i, received[i]);
            return 1;
        }
    }

    /* [[1,2,3],[4,5,6]] times [[7,8],[9,10],[11,12]] */
    const float b[6] = {7, 8, 9, 10, 11, 12};
    const float expected[4] = {58, 64, 139, 154};
    float product[4];
    CHECK(lcMatmul(sent, b, product, 2, 3, 2, LC_DEVICE_CPU));
    for (int i = 0; i < 4; i++) {
        if (product[i] != expected[i]) {
            fprintf(stderr, "product[%d] is %g, expected %g\n", i, product[i], expected[i]);
            return 1;
        }
    }

    if (lcMatmul(NULL, b, product, 2, 3, 2, LC_DEVICE_CPU) != LC_INVALID_VALUE) {
        fprintf(stderr, "a null argument was taken\n");
        return 1;
    }
    printf("backend %s, metal %d, cuda %d\nOK\n", lcBackendName(), lcIsMetalAvailable(), lcIsCudaAvailable());
    return 0;
}
