# expect: your file takes ranks from the package


