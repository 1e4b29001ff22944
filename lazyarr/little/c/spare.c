/* Operands that nobody has any more: the result of an operator takes their memory.

   In `a + b * c` the interpreter has the only reference to `b * c`, and drops it after the addition. NumPy computes such
   a sum in place (temp_elide.c there; the idea and the limits are from it). One reference alone does not tell: code in
   C may hold it and go on with the object. So the operator has to be called by the interpreter itself, which the
   addresses show to which the functions that run now will return. */

#define _GNU_SOURCE
#include "fast_path.h"

/* From 3.14 on the interpreter borrows references of variables; without its lock they are counted otherwise. */
#if defined(__linux__) && defined(__GLIBC__) && PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED)
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>

/* Bytes from which on new memory costs more than looking who calls. */
#define LEAST 262144
/* Functions of this file, of the interpreter before its loop, and of others between them that are looked at. */
#define DEEP 8

/* Where the code of the interpreter's loop is, and what its file begins with; of no length where that is not known. */
static char *loop_begin, *loop_end;
static void *interpreter;

static void find_loop(void)
{
    static int tried;
    void *loop;
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (tried)
        return;
    tried = 1;
    loop = dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
    if (!loop || !dladdr1(loop, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return;
    loop_begin = loop;
    loop_end = loop_begin + symbol->st_size;
    interpreter = info.dli_fbase;
}

/* Whether an address is in the interpreter's file. Those found so are remembered: there are a few for each operator. */
static int is_interpreters(void *address)
{
    static void *known_so[64];
    static int count;
    Dl_info info;
    int k;
    for (k = 0; k < count; k++)
        if (known_so[k] == address)
            return 1;
    if (!dladdr(address, &info) || info.dli_fbase != interpreter)
        return 0;
    if (count < (int)(sizeof(known_so) / sizeof(known_so[0])))
        known_so[count++] = address;
    return 1;
}

/* Whether a function that returns to `caller` has been called by the interpreter's loop: by way of one function. */
static int is_called_by_loop(void *caller)
{
    void *returns[DEEP];
    int k, found, depth = backtrace(returns, DEEP);
    for (k = 0; k < depth && returns[k] != caller; k++)
        ;
    for (found = 0; k < depth && found < 2; k++, found++) {
        if ((char *)returns[k] > loop_begin && (char *)returns[k] <= loop_end)
            return 1;
        if (!is_interpreters(returns[k]))
            return 0;
    }
    return k < depth && (char *)returns[k] > loop_begin && (char *)returns[k] <= loop_end;
}

static int is_spare(PyObject *x)
{
    PyArrayObject *data;
    if (Py_TYPE(x) != known.array || Py_REFCNT(x) != 1)
        return 0;
    data = (PyArrayObject *)SLOT(x, array__mine);
    return data && PyArray_CheckExact(data) && Py_REFCNT(data) == 1 && PyArray_NBYTES(data) >= LEAST &&
           PyArray_CHKFLAGS(data, NPY_ARRAY_OWNDATA | NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_BEHAVED) &&
           !PyArray_BASE(data) && is_light(x);
}

/* Which of the operands of a function that returns to `caller` nobody has afterwards (borrowed); NULL for none. */
PyObject *spare_of(PyObject *x, PyObject *y, void *caller)
{
    PyObject *found = is_spare(x) ? x : y && is_spare(y) ? y : NULL;
    if (!found)
        return NULL;
    find_loop();
    return loop_begin && is_called_by_loop(caller) ? found : NULL;
}
#else
PyObject *spare_of(PyObject *x, PyObject *y, void *caller)
{
    (void)x, (void)y, (void)caller;
    return NULL;
}
#endif
