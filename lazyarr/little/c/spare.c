/* Operands that nobody has any more: the result of an operator takes their memory.

   In `a + b * c` the interpreter has the only reference to `b * c`, and drops it after the addition. NumPy computes such
   a sum in place (temp_elide.c there; the idea and the limits are from it). One reference alone does not tell: code in
   C may hold it and go on with the object (functools.partial, a method that is bound, a tuple whose elements are the
   arguments). So the interpreter has to be at an instruction that is an operator, whose operands it drops, and has to
   have called the operator itself, which the addresses show to which the functions that run now will return: under the
   same instruction another type's operator may call this one with what it holds. */

#define _GNU_SOURCE
#include "fast_path.h"

/* From 3.14 on the interpreter borrows references of variables; without its lock they are counted otherwise. (Before
   3.11 nothing says at which instruction it is.) */
#if defined(__linux__) && defined(__GLIBC__) && PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030E0000 &&       \
    !defined(Py_GIL_DISABLED)
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>

/* Bytes from which on new memory costs more than looking who calls. */
#define LEAST 262144
/* Functions that are looked at: those of this file, and the interpreter's before its loop. */
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

/* An address in the interpreter's file, and where the function begins that it is in (NULL: not known). */
typedef struct {
    void *address;
    void *function;
} Place;

/* Find the function of an address; false where that is not the interpreter's. What is found is remembered: there are a
   few for each operator. */
static int find_place(void *address, Place *place)
{
    static Place known_so[64];
    static int count;
    Dl_info info;
    int k;
    for (k = 0; k < count; k++)
        if (known_so[k].address == address) {
            *place = known_so[k];
            return 1;
        }
    if (!dladdr(address, &info) || info.dli_fbase != interpreter)
        return 0;
    place->address = address;
    place->function = info.dli_saddr;
    if (count < (int)(sizeof(known_so) / sizeof(known_so[0])))
        known_so[count++] = *place;
    return 1;
}

static int is_in_loop(void *address)
{
    return (char *)address > loop_begin && (char *)address <= loop_end;
}

/* Whether a function that returns to `caller` has been called by the interpreter's loop: by way of two functions at
   most. (Where one of them were there twice, the second call would be that of another type's operator.) */
static int is_called_by_loop(void *caller)
{
    void *returns[DEEP];
    Place places[2];
    int k, found, depth = backtrace(returns, DEEP);
    for (k = 0; k < depth && returns[k] != caller; k++)
        ;
    for (found = 0; k < depth && found < 2; k++, found++) {
        if (is_in_loop(returns[k]))
            return 1;
        if (!find_place(returns[k], &places[found]))
            return 0;
    }
    return k < depth && is_in_loop(returns[k]) && places[0].function != places[1].function;
}

/* Which instructions are operators; false where that is not known. */
static int find_operators(char *is_operator)
{
    static const char *const names[] = {"BINARY_OP", "UNARY_NEGATIVE", "UNARY_POSITIVE", "UNARY_INVERT"};
    PyObject *module = PyImport_ImportModule("opcode");
    PyObject *numbers = module ? PyObject_GetAttrString(module, "opmap") : NULL;
    size_t k;
    int found = 0;
    for (k = 0; numbers && k < sizeof(names) / sizeof(names[0]); k++) {
        PyObject *number = PyMapping_GetItemString(numbers, names[k]);
        long n = number ? PyLong_AsLong(number) : -1;
        if (n >= 0 && n < 256)
            found = is_operator[n] = 1;
        Py_XDECREF(number);
        PyErr_Clear(); /* (Of an instruction that this version does not have.) */
    }
    Py_XDECREF(numbers);
    Py_XDECREF(module);
    PyErr_Clear();
    return found;
}

/* Whether the instruction at which the Python code is that runs now is an operator. */
static int is_at_operator(void)
{
    static char is_operator[256];
    static int known_so = -1;
    PyFrameObject *frame;
    PyCodeObject *code;
    PyObject *bytes;
    int at, found = 0;
    if (known_so < 0)
        known_so = find_operators(is_operator);
    frame = known_so ? PyThreadState_GetFrame(PyThreadState_Get()) : NULL;
    if (!frame)
        return 0;
    at = PyFrame_GetLasti(frame);
    code = PyFrame_GetCode(frame);
    bytes = PyCode_GetCode(code);
    if (!bytes)
        PyErr_Clear();
    else if (at >= 0 && at < PyBytes_GET_SIZE(bytes))
        found = is_operator[(unsigned char)PyBytes_AS_STRING(bytes)[at]];
    Py_XDECREF(bytes);
    Py_DECREF(code);
    Py_DECREF(frame);
    return found;
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
    return loop_begin && is_called_by_loop(caller) && is_at_operator() ? found : NULL;
}
#else
PyObject *spare_of(PyObject *x, PyObject *y, void *caller)
{
    (void)x, (void)y, (void)caller;
    return NULL;
}
#endif
