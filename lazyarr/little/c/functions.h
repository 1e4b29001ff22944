/* How the extension calls NumPy's functions: what `functions.c` and `sizes.c` share. */

#ifndef LAZYARR_FUNCTIONS_H
#define LAZYARR_FUNCTIONS_H

#include "fast_path.h"

/* Arguments of a call; a call of more is left to Python. */
#define MOST_ARGUMENTS 16

/* How much work a call is, in elements of its arguments; as lazyarr.little.table says it. */
enum { TOGETHER, APART, BROADCAST, PRODUCT, CREATED, COUNTED, CONTRACTED };
/* What is made of sums. */
enum { FOLD, MEAN, VARIANCE, DEVIATION, RUNNING };
/* What functions that take lists give for an array. */
enum { GIVES_SAME = 1, GIVES_COPY };

struct Function {
    PyObject *target;    /* what is called */
    PyObject *method;    /* ndarray's method that does the same where the first argument is one, or NULL */
    PyObject *fold;      /* a ufunc's `reduce` that gives the same for an array and an axis, or NULL */
    PyObject *fold_type; /* and the dtype it is given */
    const Loops *loops;  /* the loops of that ufunc, and whether it begins with its identity */
    int identity;
    int statistic; /* what is made of that; FOLD where it is all */
    int arrays;  /* how many of the first arguments may hold arrays */
    int most;    /* and how many arguments may be given by position */
    int work;
    int of_lists;   /* takes lists of numbers alone: GIVES_SAME or GIVES_COPY of arrays */
    double weight;  /* of an element, or of a product of two */
    PyObject *size; /* gives how many elements the result may have, where that is more than its arguments have */
    PyObject *left; /* names of arguments with which this one is left to Python */
};

/* The arguments of a call: those by name stand behind the others. */
typedef struct {
    PyObject *const *args;
    Py_ssize_t count;
    PyObject *names; /* a tuple, or NULL */
} Call;

/* sizes.c */
PyObject *named(const Call *call, const char *name);
Py_ssize_t count_named(const Call *call);
int is_little(const Function *function, const Call *call, const Given *given);

#endif
